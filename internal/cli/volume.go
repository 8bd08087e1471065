package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

func newVolume(a *App) *cobra.Command {
	cmd := group("volume", "v", "Volumes of resources", newVolumeList(a, "list", "l"))
	cmd.AddCommand(volumeOwner().commands(a)...)
	return cmd
}

func volumeOwner() owner {
	return owner{
		use: "NODE RESOURCE VOLUME_NR", noun: "volume",
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			nr, err := volumeNumber(args[2])
			if err != nil {
				return nil, false, err
			}
			list, err := c.ResourceView(ctx, client.Filter{Nodes: args[:1], Resources: args[1:2]})
			if err != nil {
				return nil, false, err
			}
			for _, r := range list {
				if !strings.EqualFold(r.NodeName, args[0]) || !strings.EqualFold(r.Name, args[1]) {
					continue
				}
				for _, v := range r.Volumes {
					if v.VolumeNumber == nr {
						return v.Props, true, nil
					}
				}
			}
			return nil, false, nil
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			nr, err := volumeNumber(args[2])
			if err != nil {
				return nil, err
			}
			return c.ModifyVolume(ctx, args[1], args[0], nr, api.VolumeModify{PropsModify: m})
		},
	}
}

var volumeColumns = []ui.Column{
	{Name: "Resource"}, {Name: "Node"}, {Name: "StoragePool"}, {Name: "VolNr", Right: true}, {Name: "MinorNr", Right: true},
	{Name: "DeviceName"}, {Name: "Allocated", Right: true}, {Name: "InUse"}, {Name: "State", Right: true, Color: ui.DarkGreen},
}

type volumeList struct {
	listOptions
	all, hideRepl bool
}

// newVolumeList makes "volume list", which is also "resource list-volumes".
func newVolumeList(a *App, name, short string) *cobra.Command {
	var o volumeList
	cmd := takes(&cobra.Command{
		Use:     name,
		Aliases: []string{short},
		Short:   "List the volumes of resources",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), a, o.file, func(ctx context.Context, c *client.Client) ([]api.ResourceWithVolumes, error) {
				return c.ResourceView(ctx, o.filter)
			}, func(w io.Writer, rscs []api.ResourceWithVolumes) error {
				if err := o.makeTable(rscs).Write(w, a.styleFor(o.pastable)); err != nil {
					return err
				}
				var reports []api.ApiCallRc
				for _, r := range rscs {
					for _, v := range r.Volumes {
						reports = append(reports, v.Reports...)
					}
				}
				if err := a.reports(reports); err != nil {
					return err
				}
				return a.why(resourceReasons(rscs))
			})
		},
	}, 0, 0)
	o.flags(cmd, listFlags{section: "volume.list", nodes: true, pools: true, rscs: true, show: true, showLong: true, file: true})
	cmd.Flags().BoolVarP(&o.all, "all", "a", false, "all volumes (they are all shown anyway)")
	cmd.Flags().BoolVar(&o.hideRepl, "hide-replication-states", false, "leave out the column Repl")
	alias(cmd, "hide-replication-states", "hrep")
	return cmd
}

func (o *volumeList) makeTable(rscs []api.ResourceWithVolumes) *ui.Table {
	cols := volumeColumns
	if !o.hideRepl {
		cols = append(append([]ui.Column(nil), cols...), ui.Column{Name: "Repl"})
	}
	t := o.table(cols)
	primaries := countPrimaries(rscs)
	for _, r := range rscs {
		inactive := api.HasFlag(r.Flags, api.FlagInactive)
		if inactive && !api.HasFlag(r.Flags, api.FlagEvicted) {
			continue
		}
		broken := connections(r.LayerObject).Color == ui.Red
		for _, v := range r.Volumes {
			state := volumeState(v, r.Flags)
			if inactive {
				state = ui.Cell{Text: "INACTIVE", Color: ui.Yellow}
			}
			if s := skipDisk(r.EffectiveProps); s != "" {
				state.Text += s
				if state.Color == ui.NoColor {
					state.Color = ui.Yellow
				}
			}
			if broken {
				state.Color = ui.Red
			}
			if api.ApiCallRcList(v.Reports).HasError() {
				state = ui.Cell{Text: "Error", Color: ui.Red}
			}
			minor, allocated := "", ""
			if d := drbdVolume(v); d != nil && d.DrbdVolumeDefinition != nil {
				minor = strconv.Itoa(d.DrbdVolumeDefinition.MinorNumber)
			}
			if v.AllocatedSizeKib != nil && *v.AllocatedSizeKib != 0 {
				allocated = ui.FormatSize(*v.AllocatedSizeKib)
			}
			row := ui.Texts(r.Name, r.NodeName, v.StoragePoolName, strconv.Itoa(v.VolumeNumber), minor, v.DevicePath, allocated)
			row = append(row, inUse(r, primaries[r.Name]), state)
			if !o.hideRepl {
				row = append(row, replication(v.State))
			}
			t.Add(append(row, o.propCells(v.Props)...)...)
		}
	}
	return t
}

func inUse(r api.ResourceWithVolumes, primaries int) ui.Cell {
	r.Flags = nil // unlike the list of resources, this column doesn't depend on them
	return usage(r, primaries)
}

func drbdVolume(v api.Volume) *api.DrbdVolume {
	for _, l := range v.LayerDataList {
		if d, ok := l.Data.(*api.DrbdVolume); ok {
			return d
		}
	}
	return nil
}

// volumeState is the state word of a volume. No colour means that all is as it should be.
func volumeState(v api.Volume, flags []string) ui.Cell {
	prefix := ""
	if api.HasFlag(v.Flags, api.FlagResize) {
		prefix = "Resizing, "
	}
	if len(v.LayerDataList) == 0 || v.LayerDataList[0].Type != api.LayerDRBD {
		return ui.Text(prefix + "Created")
	}
	disk := ""
	if v.State != nil {
		disk = v.State.DiskState
	}
	switch disk {
	case "", api.DiskUnknown:
		return ui.Cell{Text: prefix + "Unknown", Color: ui.Yellow}
	case api.DiskDiskless:
		switch {
		case !api.HasFlag(flags, api.FlagDiskless) && !api.HasFlag(flags, api.FlagDrbdDiskless):
			return ui.Cell{Text: prefix + disk, Color: ui.Red}
		case api.HasFlag(flags, api.FlagTieBreaker):
			return ui.Text("TieBreaker")
		}
		return ui.Text(prefix + disk)
	case api.DiskInconsistent, api.DiskFailed:
		return ui.Cell{Text: prefix + disk, Color: ui.Red}
	case api.DiskUpToDate, api.DiskCreated:
		return ui.Text(prefix + disk)
	}
	return ui.Cell{Text: prefix + disk, Color: ui.Yellow}
}

// replication sums up the replication towards all peers: Established(n), or a line for each peer.
func replication(s *api.VolumeState) ui.Cell {
	if s == nil || len(s.ReplicationStates) == 0 {
		return ui.Cell{}
	}
	var lines, states []string
	established := 0
	for _, peer := range sortedKeys(s.ReplicationStates) {
		r := s.ReplicationStates[peer]
		line := peer + ": " + r.ReplicationState
		switch r.ReplicationState {
		case "Established":
			established++
		case "SyncTarget", "PausedSyncS", "PausedSyncT", "VerifyT":
			done := "?"
			if r.DonePercentage != nil {
				done = fmt.Sprintf("%.2f%%", *r.DonePercentage)
			}
			line += "(" + done + ")"
		}
		lines, states = append(lines, line), append(states, r.ReplicationState)
	}
	switch {
	case established == len(lines):
		return ui.Cell{Text: fmt.Sprintf("Established(%d)", established), Color: ui.Green}
	case slices.Contains(states, "VerifyT"):
		return ui.Cell{Text: strings.Join(lines, "\n"), Color: ui.Gray}
	}
	return ui.Cell{Text: strings.Join(lines, "\n"), Color: ui.Yellow}
}
