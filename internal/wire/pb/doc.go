// Package pb is generated from holdfast.proto. Only package wire uses it.
package pb
