package cli

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

func newVolumeDefinition(a *App) *cobra.Command {
	cmd := group("volume-definition", "vd", "Volumes of a resource definition",
		newVolumeDefinitionCreate(a), newVolumeDefinitionDelete(a), newVolumeDefinitionList(a), newSetSize(a), newModifyVolumePassphrase(a))
	cmd.AddCommand(volumeDefinitionOwner().commands(a)...)
	return cmd
}

// volumeNumber reads a volume number, 0-65534.
func volumeNumber(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 65534 {
		return 0, usagef(nil, "%q is not a volume number (0-65534)", s)
	}
	return n, nil
}

func volumeDefinitionOwner() owner {
	return owner{
		use: "RESOURCE VOLUME_NR", noun: "volume definition", sections: []string{"Disk", "PeerDevice"},
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			nr, err := volumeNumber(args[1])
			if err != nil {
				return nil, false, err
			}
			list, err := c.ResourceDefinitions(ctx, client.Filter{ResourceDefinitions: args[:1], WithVolumeDefinitions: true})
			if err != nil {
				return nil, false, err
			}
			for _, d := range list {
				if !strings.EqualFold(d.Name, args[0]) {
					continue
				}
				for _, v := range d.VolumeDefinitions {
					if v.VolumeNumber.Value(0) == int64(nr) {
						return v.Props, true, nil
					}
				}
			}
			return nil, false, nil
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			nr, err := volumeNumber(args[1])
			if err != nil {
				return nil, err
			}
			return c.ModifyVolumeDefinition(ctx, args[0], nr, api.VolumeDefinitionModify{PropsModify: m})
		},
	}
}

type volumeDefinitionCreate struct {
	app            *App
	resource, size string
	pool           string
	nr, minor      int
	encrypt, gross bool
	passphrase     string
}

func newVolumeDefinitionCreate(a *App) *cobra.Command {
	o := volumeDefinitionCreate{app: a}
	cmd := takes(&cobra.Command{
		Use:     "create RESOURCE SIZE",
		Aliases: []string{"c"},
		Short:   "Add a volume to a resource definition; sizes as 512M, 1G, 10GB (units " + ui.SizeUnits() + "; without a unit GiB)",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.resource, o.size = args[0], args[1]
			return o.run(cmd)
		},
	}, 2, 2)
	f := cmd.Flags()
	f.StringVarP(&o.pool, "storage-pool", "s", "", "storage pool for the replicas")
	f.IntVarP(&o.nr, "vlmnr", "n", -1, "volume number (default the lowest free one)")
	f.IntVarP(&o.minor, "minor", "m", -1, "DRBD minor number (default chosen)")
	f.BoolVar(&o.encrypt, "encrypt", false, "LINSTOR's old way to encrypt: refused, use the layer luks of the resource definition")
	f.StringVar(&o.passphrase, "passphrase", "", "passphrase of an encrypted volume (default: a random key)")
	f.BoolVar(&o.gross, "gross", false, "SIZE includes DRBD's metadata")
	return cmd
}

func (o *volumeDefinitionCreate) run(cmd *cobra.Command) error {
	kib, err := ui.ParseSize(o.size)
	if err != nil {
		return usagef(cmd, "%w", err)
	}
	v := api.VolumeDefinitionCreate{
		VolumeDefinition: api.VolumeDefinition{VolumeNumber: optInt(o.nr), SizeKib: api.Int(kib)},
		DrbdMinorNumber:  optInt(o.minor),
		Passphrase:       o.passphrase,
	}
	if o.encrypt {
		v.VolumeDefinition.Flags = append(v.VolumeDefinition.Flags, api.FlagEncrypted)
	}
	if o.gross {
		v.VolumeDefinition.Flags = append(v.VolumeDefinition.Flags, api.FlagGrossSize)
	}
	if o.pool != "" {
		v.VolumeDefinition.Props = api.Props{"StorPoolName": o.pool}
	}
	return o.app.watched(cmd.Context(), watchResources(o.resource), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
		return c.CreateVolumeDefinition(ctx, o.resource, v)
	})
}

func newVolumeDefinitionDelete(a *App) *cobra.Command {
	var o deleteOptions
	cmd := takes(&cobra.Command{
		Use:     "delete RESOURCE VOLUME_NR",
		Aliases: []string{"d"},
		Short:   "Remove a volume and its data from all replicas",
		RunE: func(cmd *cobra.Command, args []string) error {
			nr, err := volumeNumber(args[1])
			if err != nil {
				return err
			}
			return a.watched(cmd.Context(), watchResources(args[0]), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.DeleteVolumeDefinition(ctx, args[0], nr, o.options()...)
			})
		},
	}, 2, 2)
	o.flags(cmd)
	return cmd
}

func newSetSize(a *App) *cobra.Command {
	gross := false
	cmd := takes(&cobra.Command{
		Use:     "set-size RESOURCE VOLUME_NR SIZE",
		Aliases: []string{"size"},
		Short:   "Change the size of a volume",
		RunE: func(cmd *cobra.Command, args []string) error {
			nr, err := volumeNumber(args[1])
			if err != nil {
				return err
			}
			kib, err := ui.ParseSize(args[2])
			if err != nil {
				return usagef(cmd, "%w", err)
			}
			m := api.VolumeDefinitionModify{SizeKib: api.NewInt(kib)}
			if gross {
				m.Flags = []string{api.FlagGrossSize}
			} else if cmd.Flags().Changed("gross") {
				m.Flags = []string{"-" + api.FlagGrossSize}
			}
			return a.watched(cmd.Context(), watchResources(args[0]), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.ModifyVolumeDefinition(ctx, args[0], nr, m)
			})
		},
	}, 3, 3)
	cmd.Flags().BoolVar(&gross, "gross", false, "SIZE includes DRBD's metadata")
	return cmd
}

var volumeDefinitionColumns = []ui.Column{
	{Name: "ResourceName"}, {Name: "VolumeNr"}, {Name: "VolumeMinor"}, {Name: "Size"}, {Name: "Gross"}, {Name: "State", Color: ui.DarkGreen},
}

func newVolumeDefinitionList(a *App) *cobra.Command {
	var o listOptions
	external := false
	cmd := takes(&cobra.Command{
		Use:     "list",
		Aliases: []string{"l"},
		Short:   "List volume definitions",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.filter.WithVolumeDefinitions = true
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.ResourceDefinition, error) {
				return c.ResourceDefinitions(ctx, o.filter)
			}, func(w io.Writer, dfns []api.ResourceDefinition) error {
				return volumeDefinitionTable(&o, dfns, external).Write(w, a.styleFor(o.pastable))
			})
		},
	}, 0, 0)
	o.flags(cmd, listFlags{section: "volume-definition.list", columns: volumeDefinitionColumns, groupBy: true, dfns: true, show: true})
	cmd.Flags().BoolVarP(&external, "external-name", "e", false, "add a column with the external name")
	return cmd
}

func volumeDefinitionTable(o *listOptions, dfns []api.ResourceDefinition, external bool) *ui.Table {
	cols := volumeDefinitionColumns
	if external {
		cols = append([]ui.Column{cols[0], {Name: "External"}}, cols[1:]...)
	}
	t := o.table(cols)
	for _, d := range dfns {
		for _, v := range d.VolumeDefinitions {
			state := ui.Cell{Text: "ok", Color: ui.DarkGreen}
			switch {
			case api.HasFlag(v.Flags, api.FlagDelete):
				state = ui.Cell{Text: "DELETING", Color: ui.Red}
			case api.HasFlag(v.Flags, api.FlagResize):
				state = ui.Cell{Text: "resizing", Color: ui.DarkPink}
			}
			minor, gross := "", ""
			for _, l := range v.LayerData {
				if drbd, ok := l.Data.(*api.DrbdVolumeDefinition); ok {
					minor = strconv.Itoa(drbd.MinorNumber)
				}
			}
			if api.HasFlag(v.Flags, api.FlagGrossSize) {
				gross = "+"
			}
			row := ui.Texts(d.Name)
			if external {
				row = append(row, ui.Text(strings.TrimSpace(d.ExternalName)))
			}
			row = append(row, ui.Texts(strconv.FormatInt(v.VolumeNumber.Value(0), 10), minor, ui.FormatSize(int64(v.SizeKib)), gross)...)
			row = append(row, state)
			t.Add(append(row, o.propCells(v.Props)...)...)
		}
	}
	t.SortBy(o.groupBy...)
	return t
}
