package sqlite

// applicationID marks the file as Holdfast's ("Hldf"), see SQLite's PRAGMA application_id.
const applicationID = 0x486c6466

// The tables. `records` has no index but its key: IDs ascend, so a commit touches the table's last pages, whereas string
// keys would scatter it over many. Uniqueness of names is the controller's affair.
const schemaSQL = `
CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE records (id INTEGER NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, sum INTEGER NOT NULL, data BLOB NOT NULL);
`

// Keys of meta.
const (
	metaSchema    = "schema"
	metaCluster   = "cluster"
	metaWrittenBy = "written_by"
	metaEpoch     = "epoch"
	metaBase      = "base"
	metaNextID    = "next_id"
	metaDigest    = "digest" // exclusive or of all sums
)

const setMeta = `INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`

// Statements. bump does nothing unless the revision and the epoch are right. SQLite evaluates a subquery that refers to nothing
// outside once, before the first row changes (https://sqlite.org/lang_expr.html, "Scalar subqueries").
const (
	bumpSQL = `UPDATE meta SET value = iif(key = 'base', ?1 + 1, ?2) WHERE key IN ('base', 'epoch')
		AND (SELECT value FROM meta WHERE key = 'base') = ?1 AND (SELECT value FROM meta WHERE key = 'epoch') <= ?2`
	setTailSQL   = `UPDATE meta SET value = iif(key = 'next_id', ?1, ?2) WHERE key IN ('next_id', 'digest')`
	findSQL      = `SELECT kind, sum FROM records WHERE id = ?`
	insertSQL    = `INSERT INTO records (id, kind, sum, data) VALUES (?, ?, ?, ?)`
	updateSQL    = `UPDATE records SET sum = ?2, data = ?3 WHERE id = ?1`
	removeSQL    = `DELETE FROM records WHERE id = ?`
	getHeaderSQL = `SELECT key, value FROM meta`
	getRecordSQL = `SELECT id, kind, sum, data FROM records ORDER BY id`
)
