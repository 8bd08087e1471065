package main

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

func serveGet(w http.ResponseWriter, r *http.Request) {
	f, err := os.Open(r.FormValue("path"))
	if err != nil {
		code := http.StatusInternalServerError
		if errors.Is(err, fs.ErrNotExist) {
			code = http.StatusNotFound
		}
		http.Error(w, err.Error(), code)
		return
	}
	defer f.Close()
	if _, err := io.Copy(w, f); err != nil {
		panic(http.ErrAbortHandler) // the reader must not take half a file for the whole
	}
}

func servePut(w http.ResponseWriter, r *http.Request) {
	mode, err := strconv.ParseUint(r.FormValue("mode"), 8, 32)
	if err != nil {
		http.Error(w, "bad mode", http.StatusBadRequest)
		return
	}
	if err := put(r.FormValue("path"), os.FileMode(mode), r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// put writes the whole file beside its place, then renames it.
func put(path string, mode os.FileMode, r io.Reader) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".lab-put-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
