"""The files beside the clients, and what they have in common.

`reading` reads all of them: `people` (contacts), `queues` and the `crew` that answers them, `calendars` with rotas,
`lists` of callers (a client's own too), `snippets`, `dialling`, what may be dialled, and `identities`, who we are then.
`derived` makes queues for clients who want some of a team's agents first, or never. `telephones` finds what of teams
the PBX could not hold. `hours` makes schedules, for a client's own hours too; `almanac` finds the days that a text
stands for, among `public_holidays`, school holidays and the seasons of each year.
"""
