// Package stored holds the shapes in which the controller's objects lie in the store, one JSON object a record, and the
// converters both ways. docs/store-format.md describes them for people. Encoding is deterministic.
//
// Rules for changing a shape: only add fields; a field that is absent means what was so before it existed; never change
// a field's meaning. A new field raises Minor. A release that meets a record with a higher minor number keeps the fields
// it doesn't know (see Codec), so that going back by one release loses nothing. What an older release must not
// misunderstand raises store.Schema instead.
package stored
