package satellite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/run"
	"holdfast/internal/tool/throttle"
)

// nodeFacts is a look at the machine.
type nodeFacts struct {
	kernel      string
	drbd        drbd.Info
	providers   []model.ProviderKind
	layers      []model.LayerKind
	snapshots   []model.ProviderKind // those that take snapshots
	copies      []model.ProviderKind // those that make volumes by copying others instead
	unsupported map[string][]string
	configs     map[string]configFile
	throttles   bool                 // devices can be limited
	devices     []model.BlockDevice  // empty ones
	makes       []model.ProviderKind // of device pools
	err         error                // of the look at DRBD or the config folder: the old picture stays
}

func (f *nodeFacts) look(ctx context.Context, w worker, load bool) {
	f.unsupported = map[string][]string{}
	if b, err := w.host.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		f.kernel = strings.TrimSpace(string(b))
	}
	f.providers = []model.ProviderKind{model.Diskless}
	asked := map[string]string{} // several kinds need the same programs
	for _, p := range providers {
		var why []string
		for _, argv := range p.programs {
			key := strings.Join(argv, " ")
			reason, known := asked[key]
			if !known {
				reason = missing(ctx, w.host, argv)
				asked[key] = reason
			}
			if reason != "" {
				why = append(why, reason)
			}
		}
		if len(why) == 0 {
			f.providers = append(f.providers, p.kind)
			if takesSnapshots(w.host, w.cfg, p.kind) {
				f.snapshots = append(f.snapshots, p.kind)
			} else if copies(w.host, w.cfg, p.kind) {
				f.copies = append(f.copies, p.kind)
			}
		} else {
			f.unsupported[string(p.kind)] = why
		}
	}
	f.throttles = throttle.Tool{Run: w.host}.There()
	f.lookForDevices(ctx, w)
	info, err := drbd.Detect(ctx, w.host)
	noLoad := ""
	if err == nil && load && !info.Loaded && info.Generation != drbd.Absent {
		if e := drbd.Load(ctx, w.host); e != nil {
			// A module that can't be loaded is none.
			noLoad, info.Generation = e.Error(), drbd.Absent
		} else {
			info, err = drbd.Detect(ctx, w.host)
		}
	}
	f.drbd, f.err = info, err
	f.layers = []model.LayerKind{model.LayerStorage}
	switch {
	case noLoad != "":
		f.unsupported[string(model.LayerDRBD)] = []string{noLoad}
	case info.Utils == "":
		f.unsupported[string(model.LayerDRBD)] = []string{"drbd-utils aren't installed"}
	case info.Generation == drbd.Absent:
		f.unsupported[string(model.LayerDRBD)] = []string{"the kernel has no DRBD module"}
	default:
		f.layers = append(f.layers, model.LayerDRBD)
	}
	if why := noLUKS(ctx, w.host); len(why) > 0 {
		f.unsupported[string(model.LayerLUKS)] = why
	} else {
		f.layers = append(f.layers, model.LayerLUKS)
	}
	configs, err := loadConfigs(w.host, w.cfg)
	if err != nil {
		f.err = errors.Join(f.err, err)
		return
	}
	f.configs = configs
}

// missing says why a program can't be had; "" if it can.
func missing(ctx context.Context, r run.Runner, argv []string) string {
	res, err := r.Run(ctx, run.Cmd{Argv: argv})
	switch {
	case errors.Is(err, run.ErrNotFound):
		return fmt.Sprintf("the program %s isn't installed", argv[0])
	case err != nil:
		return err.Error()
	case res.Exit != 0:
		return fmt.Sprintf("`%s` failed: exit %d", strings.Join(argv, " "), res.Exit)
	}
	return ""
}
