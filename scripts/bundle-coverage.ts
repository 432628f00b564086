import type { Coverage } from '../src/advisories/form.ts'

const fork = 'secfixes of the build recipes, from a fork of aports'

/**
 * What the bundled data judges, and since when it is silent. An ecosystem that isn't here is not judged by it: Debian 13,
 * Alpine 3.12 and 3.18 and later, Ubuntu and Red Hat have no data, and the records that mention Maven or NuGet packages are a
 * few hundred of many thousands.
 */
export const bundleCoverage: readonly Coverage[] = [
  ...announced('Debian:7', 'support ended in 2018'),
  ...announced('Debian:8', 'support ended in 2020'),
  ...announced('Debian:9', 'support ended in 2022'),
  ...announced('Debian:10', 'support went on until June 2024, so its last 15 months are missing'),
  ...announced('Debian:11', 'everything since is missing'),
  {
    ecosystem: 'Debian:12',
    depth: 'thin',
    asOf: '2026-11-23T00:00:00Z',
    note: 'named flaws: only those in the changelogs of 38 binary packages. Beyond those, 391 source packages of bookworm-security by version alone (DEBIAN-12-SECURITY-UPDATE-…). Flaws without an update are unknown',
  },
  ...['v3.3', 'v3.4', 'v3.5', 'v3.6', 'v3.7', 'v3.8', 'v3.9', 'v3.10', 'v3.11'].map((branch) =>
    whole(`Alpine:${branch}`, '2020-06-08', 'Alpine security database, last state of its Git repository'),
  ),
  whole('Alpine:v3.13', '2022-11-10', fork),
  whole('Alpine:v3.14', '2023-02-26', fork),
  whole('Alpine:v3.15', '2023-02-26', fork),
  whole('Alpine:v3.16', '2023-02-26', fork),
  whole('Alpine:v3.17', '2023-02-28', fork),
  whole('Alpine:edge', '2026-08-22', fork),
  whole('Wolfi', '2025-05-07', 'Wolfi advisories, the last that are free to redistribute; detections that nobody determined are left out'),
  whole('AlmaLinux:8', '2026-08-21', 'AlmaLinux OSV database'),
  whole('AlmaLinux:9', '2026-08-21', 'AlmaLinux OSV database'),
  whole('AlmaLinux:10', '2026-08-21', 'AlmaLinux OSV database'),
  whole('PyPI', '2026-07-23', 'PyPA advisory database'),
  whole('Go', '2026-08-21', 'Go vulnerability database'),
  whole('crates.io', '2026-08-21', 'RustSec advisory database'),
  whole('Bitnami', '2026-08-05', 'Bitnami vulnerability database'),
  whole('Hackage', '2026-06-03', 'Haskell security advisories'),
  whole('GHC', '2026-06-03', 'Haskell security advisories'),
  whole('opam', '2026-08-22', 'OCaml security advisories'),
  whole('CRAN', '2026-03-26', 'R Consortium advisory database'),
  whole('Packagist:https://packages.drupal.org/8', '2026-08-21', 'Drupal security advisories'),
  whole('RubyGems', '2026-08-22', 'Ruby advisory database'),
  whole('Packagist', '2026-08-06', 'FriendsOfPHP security advisories'),
  whole('Hex', '2026-08-05', 'Elixir security advisories'),
  whole('kubernetes', '2024-11-18', 'Kubernetes CVE feed'),
  {
    ecosystem: 'npm',
    depth: 'thin',
    asOf: '2026-07-08T00:00:00Z',
    note: 'the Node.js security working group to 2018 and 171 of GitHub’s records; some thousands, and all lists of malicious packages but a few, are missing',
  },
]

function whole(ecosystem: string, day: string, note: string): Coverage {
  return { ecosystem, depth: 'whole', asOf: `${day}T00:00:00Z`, note }
}

/** Debian's lists of announcements end on 2023-04-01. */
function announced(ecosystem: string, after: string): Coverage[] {
  return [
    {
      ecosystem,
      depth: 'thin',
      asOf: '2023-04-01T00:00:00Z',
      note: `announced advisories (DSA, DLA) to 2023-04-01; ${after}. Flaws that Debian fixed without an announcement, or not at all, are not in it`,
    },
  ]
}
