// Package sqlite keeps the store in one SQLite file, in WAL mode and with every commit synced. docs/store-format.md has
// the tables and what an operator should know.
package sqlite
