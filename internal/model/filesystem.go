package model

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Making is how far a volume's file system is that its properties ask for.
//
//	NoMaking -> MakingWanted    its first copy has become good, empty, and FileSystem/Type was set at that moment
//	MakingWanted -> MakingDone  its node says that it is made
//	MakingWanted -> NoMaking    FileSystem/Type was taken away
//
// It is set at one moment alone, so no volume that was ever used is made a file system on.
type Making string

const (
	NoMaking     Making = ""
	MakingWanted Making = "WANTED"
	MakingDone   Making = "DONE"
)

// FileSystemSpec is the file system that a node is to make on a volume, once.
type FileSystemSpec struct {
	Type   string // ext4, xfs
	Params string // more options for its mkfs program, see MkfsOptions
	// User and Group that own its root folder, names or numbers; "": root.
	User, Group string
	// Now: the controller has noted that it is wanted. Until then it is only announced: nobody is told that the volume is ready.
	Now bool
}

// FileSystems that can be made.
var FileSystems = []string{"ext4", "xfs"}

// MkfsParams are the words of the property FileSystem/MkfsParams, checked: what mkfs.TYPE takes, only options, none of which reads
// a file, names another device, runs a program, or makes it write over what it finds. The error says which word isn't one.
func MkfsParams(typ, params string) ([]string, error) {
	known, ok := mkfsOptions[typ]
	if !ok {
		return nil, fmt.Errorf("%q is no file system that can be made: %s", typ, strings.Join(FileSystems, ", "))
	}
	var out []string
	words := strings.Fields(params)
	for i := 0; i < len(words); i++ {
		w := words[i]
		if len(w) < 2 || w[0] != '-' || w[1] == '-' {
			return nil, fmt.Errorf("'%s' is no option of mkfs.%s", w, typ)
		}
		if strings.Trim(w[1:], known.flags) == "" {
			out = append(out, w)
			continue
		}
		allowed, ok := known.valued[w[1]]
		if !ok {
			return nil, fmt.Errorf("the option '%.2s' isn't allowed for mkfs.%s", w, typ)
		}
		value := w[2:]
		if value == "" {
			if i++; i == len(words) {
				return nil, fmt.Errorf("the option '%s' lacks its value", w)
			}
			value = words[i]
		}
		if !mkfsValue.MatchString(value) {
			return nil, fmt.Errorf("the value '%s' of '%.2s' has characters that aren't allowed", value, w)
		}
		if allowed != nil {
			for part := range strings.SplitSeq(value, ",") {
				key, _, _ := strings.Cut(part, "=")
				if !slices.Contains(allowed, key) {
					return nil, fmt.Errorf("'%s' isn't allowed in the option '%.2s' of mkfs.%s", key, w, typ)
				}
			}
		} else if w[1] == 'O' && strings.Contains(value, "journal_dev") {
			return nil, fmt.Errorf("the feature journal_dev makes no file system")
		}
		out = append(out, w[:2], value)
	}
	return out, nil
}

// mkfsValue has no '/', so it is no path.
var mkfsValue = regexp.MustCompile(`^[A-Za-z0-9_^+:.][A-Za-z0-9_^+:.,=%-]*$`)

// mkfsOptions are those that are allowed (mke2fs(8), mkfs.xfs(8)): flags alone, and ones with a value, of which nil takes any and a
// list these keywords.
var mkfsOptions = map[string]struct {
	flags  string
	valued map[byte][]string
}{
	"ext4": {"jqvK", map[byte][]string{'b': nil, 'C': nil, 'e': nil, 'g': nil, 'G': nil, 'i': nil, 'I': nil, 'L': nil, 'm': nil, 'N': nil, 'O': nil, 'T': nil, 'U': nil,
		'E': {"assume_storage_prezeroed", "desc_size", "discard", "encoding", "encoding_flags", "hash_seed", "lazy_itable_init", "lazy_journal_init",
			"mmp_update_interval", "nodiscard", "num_backup_sb", "orphan_file_size", "packed_meta_blocks", "quotatype", "resize", "root_owner", "stride", "stripe_width"},
		'J': {"size", "fast_commit_size", "location"}}},
	"xfs": {"qK", map[byte][]string{'L': nil,
		'b': {"size", "log"},
		'd': {"agcount", "agsize", "sunit", "su", "swidth", "sw", "noalign", "rtinherit", "projinherit", "extszinherit", "cowextsize", "daxinherit", "sectsize"},
		'i': {"size", "perblock", "maxpct", "align", "attr", "projid32bit", "sparse", "nrext64", "exchange"},
		'l': {"size", "version", "sunit", "su", "lazy-count", "agnum", "sectsize"},
		'm': {"crc", "finobt", "inobtcount", "rmapbt", "reflink", "bigtime", "uuid", "autofsck"},
		'n': {"size", "log", "version", "ftype", "parent"},
		's': {"size", "sectsize", "log", "sectlog"}}},
}

// OwnerName tells whether that may be FileSystem/User or FileSystem/Group: a name or a number.
func OwnerName(s string) bool { return ownerName.MatchString(s) }

var ownerName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$`)
