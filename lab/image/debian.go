package image

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// kernelPackage is a kernel for virtual machines. The ones named -unsigned have no modules of use to us.
var kernelPackage = regexp.MustCompile(`^linux-image-6\.1\.0-(\d+)-cloud-amd64$`)

// newestKernel picks the kernel package with the highest ABI number from a list of package names, one a line.
func newestKernel(names string) (string, error) {
	best, num := "", -1
	for n := range strings.Lines(names) {
		n = strings.TrimSpace(n)
		if m := kernelPackage.FindStringSubmatch(n); m != nil {
			if i, err := strconv.Atoi(m[1]); err == nil && i > num {
				best, num = n, i
			}
		}
	}
	if best == "" {
		return "", fmt.Errorf("apt knows no linux-image-6.1.0-*-cloud-amd64; the lab needs the package lists of Debian 12 (bookworm)")
	}
	return best, nil
}

// run runs a program in the C locale and returns its stdout.
func run(ctx context.Context, argv ...string) (string, error) {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("run %s: %w: %s", strings.Join(argv, " "), err, bytes.TrimSpace(errs.Bytes()))
	}
	return out.String(), nil
}

// hostPackages installs those programs of the host that are missing.
func hostPackages(ctx context.Context, log io.Writer) error {
	var missing []string
	for program, pkg := range host {
		if _, err := exec.LookPath(program); err != nil && !slices.Contains(missing, pkg) {
			missing = append(missing, pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	fmt.Fprintf(log, "lab: installing %s\n", strings.Join(missing, " "))
	if _, err := run(ctx, "apt-get", "-qq", "update"); err != nil {
		return err
	}
	_, err := run(ctx, append([]string{"apt-get", "-qq", "-y", "--no-install-recommends", "install"}, missing...)...)
	return err
}

// debs downloads the packages and what they need into home/apt, and returns the archives. Where that fails, it tries
// again with fresh package lists: the old ones may name versions that are gone.
func debs(ctx context.Context, home, kernel string, packages []string, log io.Writer) (root []string, kernelDeb string, err error) {
	root, kernelDeb, err = download(ctx, home, kernel, packages, log)
	if err == nil || ctx.Err() != nil {
		return root, kernelDeb, err
	}
	fmt.Fprintf(log, "lab: fetching package lists, since: %v\n", err)
	if _, err := run(ctx, "apt-get", "-qq", "update"); err != nil {
		return nil, "", err
	}
	return download(ctx, home, kernel, packages, log)
}

func download(ctx context.Context, home, kernel string, packages []string, log io.Writer) (root []string, kernelDeb string, err error) {
	apt := filepath.Join(home, "apt")
	cache, empty := filepath.Join(apt, "cache"), filepath.Join(apt, "empty")
	for _, d := range []string{filepath.Join(cache, "partial"), filepath.Join(empty, "partial")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, "", err
		}
	}
	status := filepath.Join(apt, "status") // nothing is installed
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return nil, "", err
	}
	get := func(archives string, argv ...string) (string, error) {
		return run(ctx, append([]string{"apt-get", "-qq", "-y", "--no-install-recommends", "-o", "Dir::State::status=" + status,
			"-o", "Dir::Cache::archives=" + archives, "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root",
			"-o", "Acquire::Retries=3"}, argv...)...)
	}
	// apt leaves out of its list what it has already: ask with an empty store
	list, err := get(empty, append([]string{"install", "--print-uris"}, packages...)...)
	if err != nil {
		return nil, "", err
	}
	kernelLine, err := get(empty, "download", "--print-uris", kernel)
	if err != nil {
		return nil, "", err
	}
	root, kernels := archives(list), archives(kernelLine)
	if len(root) == 0 || len(kernels) != 1 {
		return nil, "", fmt.Errorf("apt names no archives: %q, %q", list, kernelLine)
	}
	for i := range root {
		root[i] = filepath.Join(cache, root[i])
	}
	kernelDeb = filepath.Join(cache, kernels[0])
	if missing := absent(append(slices.Clone(root), kernelDeb)); missing > 0 {
		fmt.Fprintf(log, "lab: downloading %d packages\n", missing)
		if _, err := get(cache, append([]string{"install", "--download-only"}, packages...)...); err != nil {
			return nil, "", err
		}
		if absent([]string{kernelDeb}) > 0 {
			c := exec.CommandContext(ctx, "apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", kernel)
			c.Dir = cache
			if out, err := c.CombinedOutput(); err != nil {
				return nil, "", fmt.Errorf("download %s: %w: %s", kernel, err, out)
			}
		}
	}
	return root, kernelDeb, nil
}

func absent(paths []string) (n int) {
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			n++
		}
	}
	return n
}

// archives reads file names from apt-get --print-uris: 'URI' NAME SIZE HASH.
func archives(list string) (names []string) {
	for l := range strings.Lines(list) {
		if f := strings.Fields(l); len(f) >= 3 && strings.HasPrefix(f[0], "'") {
			names = append(names, f[1])
		}
	}
	return names
}
