// Package store says what the controller asks of the place where its desired objects survive: load the whole, commit a
// set of changes at once, close. It knows records, not nouns: what the bytes mean is the controller's business.
//
// A store holds records under integer IDs that its user gives, a revision (Base) that counts commits, and an epoch that
// counts controllers. There is one writer. A commit is atomic, and durable when it returns nil.
//
// The back ends are in the folders below; storetest is the suite that each of them passes. docs/store-format.md
// describes what the default one writes.
package store
