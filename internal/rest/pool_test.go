package rest

import (
	"strconv"
	"strings"
	"testing"

	"holdfast/api"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// A thin pool's list entry warns before it is full, and says so when it is.
func TestThinPoolSaysHowFullItIs(t *testing.T) {
	w := sized(t, map[string]int64{"alpha": 50})
	for _, c := range []struct {
		kind        model.ProviderKind
		st          model.PoolStatus
		warns, errs bool
		text        string
	}{
		{model.LVMThin, model.PoolStatus{FreeKiB: 300, TotalKiB: 1000, MetaPercent: 79}, false, false, ""},
		{model.LVMThin, model.PoolStatus{FreeKiB: 200, TotalKiB: 1000}, true, false, "80.0 % full"},
		{model.LVMThin, model.PoolStatus{FreeKiB: 900, TotalKiB: 1000, MetaPercent: 85.5}, true, false, "metadata of its thin pool are 85.5 % full"},
		{model.LVMThin, model.PoolStatus{FreeKiB: 900, TotalKiB: 1000, MetaPercent: 98}, false, true, "takes no new volumes"},
		{model.ZFSThin, model.PoolStatus{FreeKiB: 10, TotalKiB: 1000}, false, true, "takes no new volumes"},
		{model.LVMThin, model.PoolStatus{FreeKiB: 900, TotalKiB: 1000, Trouble: "the thin pool has failed"}, false, true, "takes no new volumes"},
		{model.LVM, model.PoolStatus{FreeKiB: 1, TotalKiB: 1000}, false, false, ""},
		{model.FileThin, model.PoolStatus{FreeKiB: 900, TotalKiB: 1000}, false, false, ""},
		{model.FileThin, model.PoolStatus{FreeKiB: 900, TotalKiB: 1000, NoSnapshots: "the file system shares no blocks"}, false, false, ""},
	} {
		w.b.see(t, func(tx *state.Tx) {
			x := tx.Snapshot().Node("alpha")
			m := x.Node.Clone()
			m.Pool("swpool").Kind = c.kind
			tx.PutNode(m)
			o := *x.Seen
			c.st.UUID, c.st.Name = m.Pool("swpool").UUID, "swpool"
			o.Pools = []model.PoolStatus{c.st}
			tx.SeeNode("alpha", &o)
		})
		p := get[[]api.StoragePool](t, w.must(200, "GET", "/v1/view/storage-pools?storage_pools=swpool", ""))[0]
		l := api.ApiCallRcList(p.Reports)
		if l.HasWarning() != c.warns || l.HasError() != c.errs || c.text != "" && (len(l) == 0 || !strings.Contains(l[0].Message, c.text)) {
			t.Errorf("%s %+v: %+v", c.kind, c.st, p.Reports)
		}
		if thin := c.kind != model.LVM && c.st.NoSnapshots == ""; bool(p.SupportsSnapshots) != thin || p.StaticTraits["SupportsSnapshots"] != strconv.FormatBool(thin) ||
			(p.StaticTraits["Provisioning"] == "Thin") != c.kind.Thin() {
			t.Errorf("%s: %+v", c.kind, p)
		}
	}
}

// It says when a thin pool will be full: always where it warns anyway, else where that is within a day.
func TestThinPoolSaysWhenItIsFull(t *testing.T) {
	w := sized(t, map[string]int64{"alpha": 50})
	const now = int64(1_750_000_000_000) // 2025-06-15 15:06 UTC
	const hour = int64(3_600_000)
	for _, c := range []struct {
		st                 model.PoolStatus
		full, meta         int64 // hours ahead; 0: not in sight
		message, and, lack string
	}{
		{st: model.PoolStatus{FreeKiB: 100, TotalKiB: 1000}, message: "90.0 % full", lack: "last hour"},
		{st: model.PoolStatus{FreeKiB: 100, TotalKiB: 1000}, full: 48, message: "90.0 % full", and: "as in the last hour, its data are full at 2025-06-17 15:06 UTC"},
		{st: model.PoolStatus{FreeKiB: 600, TotalKiB: 1000}, full: 48},
		{st: model.PoolStatus{FreeKiB: 600, TotalKiB: 1000}, full: 3, message: "fills up: if it goes on as in the last hour, its data are full at 2025-06-15 18:06 UTC", and: "40.0 % full now"},
		{st: model.PoolStatus{FreeKiB: 600, TotalKiB: 1000}, full: 3, meta: 2, message: "its metadata are full at 2025-06-15 17:06 UTC"},
	} {
		w.b.see(t, func(tx *state.Tx) {
			x := tx.Snapshot().Node("alpha")
			m := x.Node.Clone()
			m.Pool("swpool").Kind = model.LVMThin
			tx.PutNode(m)
			o := *x.Seen
			c.st.UUID, c.st.Name = m.Pool("swpool").UUID, "swpool"
			o.Pools = []model.PoolStatus{c.st}
			f := model.PoolFill{Pool: c.st.UUID, Samples: []model.FillSample{{AtMS: now}}}
			if c.full != 0 {
				f.FullMS = now + c.full*hour
			}
			if c.meta != 0 {
				f.MetaFullMS = now + c.meta*hour
			}
			o.Fill = []model.PoolFill{f}
			tx.SeeNode("alpha", &o)
		})
		p := get[[]api.StoragePool](t, w.must(200, "GET", "/v1/view/storage-pools?storage_pools=swpool", ""))[0]
		var text string
		for _, r := range p.Reports {
			text += r.Message + " " + r.Cause
		}
		if !strings.Contains(text, c.message) || !strings.Contains(text, c.and) || c.lack != "" && strings.Contains(text, c.lack) || c.message == "" && text != "" {
			t.Errorf("%+v: %q", c, text)
		}
	}
}
