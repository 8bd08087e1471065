package run

import "context"

// Check runs a command and turns an exit status other than 0 into an
// *ExitError; classify (may be nil) names its Kind.
func Check(ctx context.Context, r Runner, c Cmd, classify func(Result) error) (Result, error) {
	res, err := r.Run(ctx, c)
	if err != nil {
		return res, err
	}
	if res.Exit == 0 {
		return res, nil
	}
	e := &ExitError{Argv: c.Argv, Exit: res.Exit, Stderr: res.Stderr}
	if classify != nil {
		e.Kind = classify(res)
	}
	return res, e
}
