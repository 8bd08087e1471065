package controller

import (
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// Options of a command.
type Options struct {
	Async    bool          // answer at the commit, without waiting for nodes
	Deadline time.Time     // for the answer; zero or later than AnswerLimit: AnswerLimit
	Notify   func(*Ticket) // called once, when the answer is there, by whoever drives the Brain; must not block
}

// Ticket is a command on its way.
type Ticket struct {
	cmd      core.Command
	opts     Options
	deadline time.Time

	reply core.Reply
	err   error
	notes []fault.Note          // of the command itself
	names map[model.UUID]string // of the definitions in reply.Wait, before they can be gone
	waits []*waiting
	open  int // waits without an outcome
	taken bool
	done  bool
	gone  bool // nobody listens any more
}

// Done tells whether the answer is there.
func (t *Ticket) Done() bool { return t.done }

// Result is the answer, once Done: the reply, or a *fault.Error.
func (t *Ticket) Result() (core.Reply, error) { return t.reply, t.err }

func (t *Ticket) answer(r core.Reply, err error) {
	if t.done {
		return
	}
	t.done, t.reply, t.err = true, r, err
	if t.opts.Notify != nil && !t.gone {
		t.opts.Notify(t)
	}
}

// finish answers with the command's notes and those of the nodes, in their order.
func (t *Ticket) finish() {
	r := t.reply
	r.Notes = t.notes
	for _, w := range t.waits {
		if w.note != nil {
			r.Notes = append(r.Notes, *w.note)
		}
	}
	t.answer(r, nil)
}

// Submit queues a command; the next Step takes it.
func (b *Brain) Submit(cmd core.Command, o Options, now time.Time) *Ticket {
	t := &Ticket{cmd: cmd, opts: o, deadline: now.Add(AnswerLimit)}
	if !o.Deadline.IsZero() && o.Deadline.Before(t.deadline) {
		t.deadline = o.Deadline
	}
	if b.readOnly != "" {
		t.answer(core.Reply{}, b.refuseReadOnly())
		return t
	}
	b.queue = append(b.queue, input{ticket: t})
	return t
}

// Drop says that nobody listens any more. A command that no Step has taken yet is not done.
func (b *Brain) Drop(t *Ticket) {
	t.gone = true
	if t.taken {
		b.unwait(t)
	}
}

func (b *Brain) refuseReadOnly() error {
	return fault.New(fault.ReadOnly, fault.Controller, "This controller may not change anything.").Because("%s", b.readOnly).
		Do("Stop one of the two controllers. If this store was restored from a backup, stop this controller, run `holdfast store take-over --above %d`, and start it again.",
			b.heardOf)
}
