package wire

// The generated code is kept in the repository: protoc 3.21, protoc-gen-go v1.36.12.
//go:generate protoc --go_out=pb --go_opt=paths=source_relative --proto_path=. holdfast.proto
