// Package storetest is the suite that every store back end passes.
package storetest
