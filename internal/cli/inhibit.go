package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"holdfast/api"
)

// inhibitEvery is how often the controller is asked.
const inhibitEvery = 5 * time.Second

// Lock against a shutdown of this machine.
type Lock interface {
	// Lost is closed when it isn't held any more, though nobody closed it.
	Lost() <-chan struct{}
	Close() error
}

// inhibit holds a lock against the shutdown of this machine while the answer is no, or isn't known, until ctx ends. Volumes
// that are in use don't count: a shutdown ends their use by itself.
func (a *App) inhibit(ctx context.Context, node, mode string) error {
	if a.cfg.Inhibit == nil {
		return fmt.Errorf("hold a shutdown: this program was built without it")
	}
	c, err := a.api()
	if err != nil {
		return err
	}
	var lock Lock
	held := ""
	defer func() {
		if lock != nil {
			_ = lock.Close()
		}
	}()
	for first := true; ; first = false {
		s, err := c.SafeToStop(ctx, node)
		if ctx.Err() != nil {
			return nil
		}
		why := whyNot(s)
		if err != nil {
			why = "it isn't known what would be lost: " + oneLine(err.Error())
		}
		if lock != nil {
			select {
			case <-lock.Lost():
				held = ""
			default:
			}
		}
		if why != held || first {
			var next Lock
			if why != "" {
				if next, err = a.cfg.Inhibit(ctx, mode, why); err != nil {
					return err
				}
			}
			if lock != nil {
				_ = lock.Close()
			}
			lock, held = next, why
			line := "A shutdown of this machine is held: " + why
			if why == "" {
				line = fmt.Sprintf("Node '%s' may be stopped; nothing holds a shutdown.", node)
			}
			if err := a.println(line); err != nil {
				return err
			}
		}
		if a.cfg.Sleep(ctx, inhibitEvery) != nil {
			return nil
		}
	}
}

// whyNot names the resources that lose their last copy or their quorum; "" if none does.
func whyNot(s api.SafeToStop) string {
	var copies, quorum []string
	for _, l := range s.Losses {
		switch l.Kind {
		case "last-copy":
			copies = appendNew(copies, l.Resource)
		case "quorum":
			quorum = appendNew(quorum, l.Resource)
		}
	}
	var parts []string
	if len(copies) > 0 {
		parts = append(parts, "no other good copy of "+some(copies))
	}
	if len(quorum) > 0 {
		parts = append(parts, "no quorum without this node for "+some(quorum))
	}
	return strings.Join(parts, "; ")
}

func appendNew(list []string, s string) []string {
	if len(list) > 0 && list[len(list)-1] == s {
		return list
	}
	return append(list, s)
}

// some of the names: a lock's reason is one line.
func some(names []string) string {
	if len(names) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}
