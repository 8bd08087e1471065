package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"holdfast/internal/store"
)

// batchSize is how many records LoadEach hands over at once.
const batchSize = 256

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the checksum that is stored with a record: CRC-32C over id and kind (big-endian, 8 and 1 bytes) and data.
func sum(id int64, kind store.Kind, data []byte) uint32 {
	var b [9]byte
	binary.BigEndian.PutUint64(b[:], uint64(id))
	b[8] = byte(kind)
	return crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, data)
}

// Load implements store.Backend.
func (d *DB) Load(ctx context.Context) (store.State, error) {
	var recs []store.Record
	st, err := d.LoadEach(ctx, func(r []store.Record) error { recs = append(recs, r...); return nil })
	st.Records = recs
	return st, err
}

// LoadEach implements store.Streamer. Every record's checksum is compared.
func (d *DB) LoadEach(ctx context.Context, each func([]store.Record) error) (store.State, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	st, err := d.load(ctx, each)
	if err != nil {
		return store.State{}, fmt.Errorf("load store %s: %w", d.opt.Path, classify(err))
	}
	d.needsLoad = false
	return st, nil
}

func (d *DB) load(ctx context.Context, each func([]store.Record) error) (st store.State, err error) {
	if err := ctx.Err(); err != nil {
		return st, err
	}
	c, err := d.usable(ctx)
	if err != nil {
		return st, err
	}
	if err := c.exec(ctx, "BEGIN"); err != nil { // one revision for header and records
		return st, err
	}
	defer func() {
		if _, rerr := c.rollback.ExecContext(context.WithoutCancel(ctx)); rerr != nil && err == nil {
			err = rerr
		}
	}()
	h, err := c.header(ctx)
	if err != nil {
		return st, err
	}
	return h.State, c.records(ctx, h, each)
}

func (c *conn) records(ctx context.Context, h header, each func([]store.Record) error) error {
	rows, err := c.getRecord.QueryContext(ctx)
	if err != nil {
		return err
	}
	defer rows.Close()
	digest := uint32(0)
	batch := make([]store.Record, 0, batchSize)
	for rows.Next() {
		var r store.Record
		var stored uint32
		var data sql.RawBytes
		if err := rows.Scan(&r.ID, &r.Kind, &stored, &data); err != nil {
			return fmt.Errorf("%w: read a record after %d: %w; %s", store.ErrCorrupt, lastID(batch), err, whatToDo)
		}
		if sum(r.ID, r.Kind, data) != stored {
			return fmt.Errorf("%w: the checksum of %s %d is wrong; %s", store.ErrCorrupt, r.Kind, r.ID, whatToDo)
		}
		if r.ID <= 0 || r.ID >= h.NextID || r.Kind == 0 {
			return fmt.Errorf("%w: record %d can't be there, the next id is %d; %s", store.ErrCorrupt, r.ID, h.NextID, whatToDo)
		}
		digest ^= stored
		r.Data = append(make([]byte, 0, len(data)), data...)
		if batch = append(batch, r); len(batch) == batchSize {
			if err := each(batch); err != nil {
				return err
			}
			batch = make([]store.Record, 0, batchSize)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if digest != h.digest {
		return fmt.Errorf("%w: %s; %s", store.ErrCorrupt, oddDigest, whatToDo)
	}
	if len(batch) > 0 {
		return each(batch)
	}
	return nil
}

func lastID(batch []store.Record) int64 {
	if len(batch) == 0 {
		return 0
	}
	return batch[len(batch)-1].ID
}

// oddDigest is found when each record is whole, but they aren't those of one revision.
const oddDigest = "records are missing, or older than the last commit (a WAL that belongs to another copy of the file does that)"

// header is what meta says.
type header struct {
	store.State
	digest uint32
}

// header reads meta, and refuses what this program can't read.
func (c *conn) header(ctx context.Context) (header, error) {
	st := header{State: store.State{Schema: -1, NextID: -1}}
	rows, err := c.getHeader.QueryContext(ctx)
	if err != nil {
		return st, classify(err)
	}
	defer rows.Close()
	epoch, base, digest := int64(-1), int64(-1), int64(-1)
	for rows.Next() {
		var key string
		var value any
		if err := rows.Scan(&key, &value); err != nil {
			return st, classify(err)
		}
		n, isInt := value.(int64)
		s, _ := value.(string)
		if !isInt {
			n = -1
		}
		switch key {
		case metaSchema:
			st.Schema = int(n)
		case metaCluster:
			st.Cluster = s
		case metaWrittenBy:
			st.WrittenBy = s
		case metaEpoch:
			epoch = n
		case metaBase:
			base = n
		case metaNextID:
			st.NextID = n
		case metaDigest:
			digest = n
		}
	}
	if err := rows.Err(); err != nil {
		return st, classify(err)
	}
	if st.Schema > store.Schema {
		return st, store.NewerSchema(st.Schema, st.WrittenBy)
	}
	if st.Schema < 1 || epoch < 0 || base < 0 || st.NextID < 1 || digest < 0 || digest > math.MaxUint32 {
		return st, fmt.Errorf("%w: schema, epoch, base, next_id or digest is missing from its table meta or odd; %s", store.ErrCorrupt, whatToDo)
	}
	st.Epoch, st.Base, st.digest = uint64(epoch), uint64(base), uint32(digest)
	return st, nil
}
