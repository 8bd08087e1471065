package stored

import "holdfast/internal/model"

type verify struct {
	ID      model.UUID        `json:"id"`
	Replica model.UUID        `json:"replica"`
	By      string            `json:"by,omitempty"`
	Asked   int64             `json:"asked,omitempty"`
	Ended   int64             `json:"ended,omitempty"`
	State   model.VerifyState `json:"state,omitempty"`
	Reason  string            `json:"reason,omitempty"`
	Broken  int               `json:"broken,omitempty"`
	Found   []verifyFound     `json:"found,omitempty"`
}

type verifyFound struct {
	Volume int    `json:"nr"`
	Node   string `json:"node"`
	Peer   string `json:"peer"`
	KiB    int64  `json:"kib"`
}

func verifyOut(v *model.Verify) *verify {
	if v == nil {
		return nil
	}
	out := &verify{ID: v.ID, Replica: v.Replica, By: v.By, Asked: v.AskedMS, Ended: v.EndedMS, State: v.State, Reason: v.Reason, Broken: v.Broken}
	for _, f := range v.Found {
		out.Found = append(out.Found, verifyFound{Volume: f.Volume, Node: f.Node, Peer: f.Peer, KiB: f.OutOfSyncKiB})
	}
	return out
}

func (v *verify) in() *model.Verify {
	if v == nil {
		return nil
	}
	out := &model.Verify{ID: v.ID, Replica: v.Replica, By: v.By, AskedMS: v.Asked, EndedMS: v.Ended, State: v.State, Reason: v.Reason, Broken: v.Broken}
	for _, f := range v.Found {
		out.Found = append(out.Found, model.VerifyFound{Volume: f.Volume, Node: f.Node, Peer: f.Peer, OutOfSyncKiB: f.KiB})
	}
	return out
}
