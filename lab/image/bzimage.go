package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
)

// Offsets in a bzImage, from the kernel's Documentation/arch/x86/boot.rst.
const (
	bzSetupSects    = 0x1f1
	bzMagic         = 0x202
	bzPayloadOffset = 0x248
	bzPayloadLength = 0x24c
)

// payload returns the compressed kernel inside a bzImage and the program that unpacks it.
func payload(b []byte) (data []byte, unpack []string, err error) {
	if len(b) < 0x250 || string(b[bzMagic:bzMagic+4]) != "HdrS" {
		return nil, nil, fmt.Errorf("not a bzImage")
	}
	sects := int(b[bzSetupSects])
	if sects == 0 {
		sects = 4
	}
	from := (sects+1)*512 + int(binary.LittleEndian.Uint32(b[bzPayloadOffset:]))
	n := int(binary.LittleEndian.Uint32(b[bzPayloadLength:]))
	if from < 0 || n < 6 || from+n > len(b) {
		return nil, nil, fmt.Errorf("payload outside the file")
	}
	data = b[from : from+n]
	for _, f := range []struct {
		magic string
		argv  []string
	}{
		{"\xfd7zXZ", []string{"xz", "-dc", "--single-stream"}}, {"\x28\xb5\x2f\xfd", []string{"zstd", "-dc"}},
		{"\x1f\x8b", []string{"gzip", "-dc"}}, {"\x02\x21\x4c\x18", []string{"lz4", "-dc"}},
	} {
		if bytes.HasPrefix(data, []byte(f.magic)) {
			return data, f.argv, nil
		}
	}
	return nil, nil, fmt.Errorf("unknown compression % x", data[:6])
}

// extractKernel writes the ELF kernel inside a bzImage to out: QEMU enters it directly and nothing is decompressed in
// the machine.
func extractKernel(bzImage, out string) error {
	b, err := os.ReadFile(bzImage)
	if err != nil {
		return err
	}
	data, unpack, err := payload(b)
	if err != nil {
		return fmt.Errorf("read %s: %w", bzImage, err)
	}
	c := exec.Command(unpack[0], unpack[1:]...)
	c.Stdin = bytes.NewReader(data)
	elf, err := c.Output() // it may complain: the payload ends in four bytes of length
	if !bytes.HasPrefix(elf, []byte("\x7fELF")) {
		return fmt.Errorf("unpack %s with %s: no kernel came out: %w", bzImage, unpack[0], err)
	}
	return os.WriteFile(out, elf, 0o644)
}
