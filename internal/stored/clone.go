package stored

import "holdfast/internal/model"

// cloning is how a clone comes to its first data.
type cloning struct {
	Source     model.UUID       `json:"source"`
	SourceName string           `json:"sourceName,omitempty"`
	Snapshot   model.UUID       `json:"snapshot"`
	State      model.CloneState `json:"state"`
	Reason     string           `json:"reason,omitempty"`
	SinceMS    int64            `json:"since,omitempty"`
}

func cloningOut(c *model.Cloning) *cloning {
	if c == nil {
		return nil
	}
	out := cloning(*c)
	return &out
}

func (c *cloning) in() *model.Cloning {
	if c == nil {
		return nil
	}
	out := model.Cloning(*c)
	return &out
}
