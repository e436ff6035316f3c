//go:build !linux

package fault

import "context"

func powerCuts(context.Context, *Campaign, *Result) error {
	return NotRun("cutting the power needs loop devices, which Linux has")
}

func unsyncedCuts(ctx context.Context, c *Campaign, r *Result) error { return powerCuts(ctx, c, r) }
