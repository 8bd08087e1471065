package stored

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"holdfast/internal/state"
	"holdfast/internal/store"
)

// Loaded is a store's content, decoded.
type Loaded struct {
	store.State
	Objects state.Loaded
	Codec   *Codec
	// Problems names each record that is left out, and why. Nothing of it is touched in the store.
	Problems []string
}

// piece is a batch, and what came of it.
type piece struct {
	records  []store.Record
	objects  []Object
	problems []string
}

// Load reads and decodes the whole store, while it is read, on every core. A record that doesn't decode is a problem, no
// error.
func Load(ctx context.Context, b store.Backend) (Loaded, error) {
	work := make(chan *piece, 2*runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for p := range work {
				p.decode()
			}
		})
	}
	var pieces []*piece
	st, err := store.LoadEach(ctx, b, func(rs []store.Record) error {
		for batch := range slices.Chunk(rs, 512) {
			p := &piece{records: batch}
			pieces = append(pieces, p)
			work <- p
		}
		return nil
	})
	close(work)
	wg.Wait()
	if err != nil {
		return Loaded{}, err
	}
	l := Loaded{State: st, Codec: &Codec{extras: map[int64]*extra{}}}
	l.Objects.LastRecord = st.NextID - 1
	for _, p := range pieces {
		l.take(p)
	}
	return l, nil
}

func (p *piece) decode() {
	p.objects = make([]Object, 0, len(p.records))
	for _, r := range p.records {
		o, err := Decode(r)
		if err != nil {
			p.problems = append(p.problems, err.Error()+"; it is left out")
			continue
		}
		p.objects = append(p.objects, o)
	}
	p.records = nil
}

func (l *Loaded) take(p *piece) {
	l.Problems = append(l.Problems, p.problems...)
	for _, o := range p.objects {
		var id int64
		switch {
		case o.Controller != nil:
			id = o.Controller.Record
			if l.Objects.Controller != nil {
				l.Problems = append(l.Problems, "there is more than one cluster record; the first is used")
				continue
			}
			l.Objects.Controller = o.Controller
		case o.Node != nil:
			id = o.Node.Record
			l.Objects.Nodes = append(l.Objects.Nodes, o.Node)
		case o.Group != nil:
			id = o.Group.Record
			l.Objects.Groups = append(l.Objects.Groups, o.Group)
		case o.Definition != nil:
			id = o.Definition.Record
			l.Objects.Definitions = append(l.Objects.Definitions, o.Definition)
		}
		if o.extra != nil {
			l.Codec.extras[id] = o.extra
		}
	}
}
