package core

import (
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// Env is what a command may know besides the state.
type Env struct {
	Now  time.Time
	Rand io.Reader // a stream that the caller seeds: same seed, same ids and secrets
}

// Rules is what the rules behind a command may know.
func (e Env) Rules() plan.Env { return plan.Env{NowMS: e.Now.UnixMilli(), UUID: e.UUID} }

// UUID draws a random (version 4) one.
func (e Env) UUID() model.UUID {
	var b [16]byte
	_, _ = io.ReadFull(e.Rand, b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return model.UUID(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}

// Secret draws 15 random bytes as 20 characters of base64, as LINSTOR's DRBD secrets look.
func (e Env) Secret() string {
	var b [15]byte
	_, _ = io.ReadFull(e.Rand, b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// Command changes the state through the Tx it is given and says what it did. Its error is a *fault.Error.
type Command interface {
	Apply(tx *state.Tx, env Env) (Reply, error)
}

// Reply to an accepted command.
type Reply struct {
	Notes []fault.Note
	Wait  []Wait // what nodes have to report before the answer is complete
	Data  any    // what a caller inside the controller asked for
}

// Wait names what a node has to do before a command is answered.
type Wait struct {
	Node       string
	Definition model.UUID
	Replica    model.UUID
	Generation uint64
	Gone       bool // until the replica is confirmed gone, else until it is Done at Generation
	Op         fault.Op
	// Without a Definition it waits for the node itself: until it is online, and with Pool until it has reported that.
	Pool model.UUID
	// Snapshot: until it is Successful or Failed; with Gone until its copy Replica is confirmed gone.
	Snapshot model.UUID
	// DevicePool instead of Pool: until the node has said how that order went.
	DevicePool model.UUID
	// Rollback: until that one is over.
	Rollback model.UUID
}

func done(op fault.Op, o fault.Object, refs map[string]string, format string, args ...any) fault.Note {
	return fault.Note{Severity: fault.Success, Kind: fault.Done, Op: op, Object: o, Message: fmt.Sprintf(format, args...), Refs: refs}
}

func warn(k fault.Kind, op fault.Op, o fault.Object, refs map[string]string, format string, args ...any) fault.Note {
	return fault.Note{Severity: fault.Warning, Kind: k, Op: op, Object: o, Message: fmt.Sprintf(format, args...), Refs: refs}
}

func info(op fault.Op, o fault.Object, refs map[string]string, format string, args ...any) fault.Note {
	return fault.Note{Severity: fault.Info, Kind: fault.Done, Op: op, Object: o, Message: fmt.Sprintf(format, args...), Refs: refs}
}

// waits lists every replica of the definition that isn't there yet at its newest generation, tombstones as Gone.
func waits(tx *state.Tx, id model.UUID, op fault.Op) []Wait {
	d := tx.Snapshot().DefinitionByID(id)
	if d == nil {
		return nil
	}
	var w []Wait
	for _, r := range d.Resources {
		its := op
		if op == fault.Create && d.Seen[r.UUID] != nil {
			its = fault.Modify // it was there before
		}
		w = append(w, Wait{Node: r.Node, Definition: id, Replica: r.UUID, Generation: d.Generation, Gone: r.Deleting, Op: its})
	}
	return w
}

func findNode(tx *state.Tx, name string) (*state.Node, error) {
	if n := tx.Snapshot().Node(name); n != nil {
		return n, nil
	}
	return nil, fault.New(fault.NotFound, fault.Node, "Node '%s' not found.", name).
		Because("The cluster has no node of that name.").Do("`node list` shows the nodes.").Ref("Node", name)
}

// findDefinition finds one that is not being deleted.
func findDefinition(tx *state.Tx, name string) (*state.Definition, error) {
	d := tx.Snapshot().Definition(name)
	if d == nil {
		return nil, fault.New(fault.NotFound, fault.ResourceDefinition, "Resource definition '%s' not found.", name).
			Because("There is none of that name.").Do("`resource-definition list` shows what there is.").Ref("RscDfn", name)
	}
	if d.Deleting {
		return nil, fault.New(fault.InUse, fault.ResourceDefinition, "Resource definition '%s' is being deleted.", d.Name).
			Because("Its removal was ordered before and goes on.").Do("Create it anew: the name is free.").Ref("RscDfn", d.Name)
	}
	return d, nil
}

// definitionAndNode are those that a command names.
func definitionAndNode(tx *state.Tx, definition, node string) (*state.Definition, *state.Node, error) {
	d, err := findDefinition(tx, definition)
	if err != nil {
		return nil, nil, err
	}
	n, err := findNode(tx, node)
	if err != nil {
		return nil, nil, err
	}
	return d, n, nil
}
