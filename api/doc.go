// Package api holds the types of Holdfast's REST interface: LINSTOR's REST API v1 in its JSON names and shapes, and the
// few optional fields that Holdfast adds (always below a key named "holdfast").
//
// Conventions: names are snake_case; sizes are KiB; times are milliseconds since 1970 unless a field says otherwise;
// empty strings, lists and maps are left out of the output. The same struct serves as request and response where LINSTOR
// does so; requests are read leniently (Int, Bool, Props and the enums take the spellings that existing clients send).
//
// The package imports nothing but the standard library, does no I/O and reads no clock.
package api
