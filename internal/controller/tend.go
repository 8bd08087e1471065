package controller

import (
	"time"

	"holdfast/internal/core"
)

// tendEvery is how often what takes time is looked at: evacuations, nodes that are away.
const tendEvery = 10 * time.Second

func (b *Brain) tend(now time.Time) {
	if !b.started || b.needReload || b.readOnly != "" || now.Before(b.tendAt) {
		return
	}
	b.tendAt = now.Add(tendEvery)
	if core.NeedsTending(b.cur, now) {
		b.Submit(core.Tend{}, Options{Async: true}, now)
	}
}

func (b *Brain) wakeTend(sooner func(time.Time)) {
	if b.started && !b.needReload && b.readOnly == "" && b.cur.NodeCount() > 0 {
		sooner(b.tendAt)
	}
}
