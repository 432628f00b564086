import { compareApk } from './apk.ts'
import { compareDpkg } from './dpkg.ts'
import type { Compare } from './order.ts'
import { comparePep440 } from './pep440.ts'
import { compareRpm } from './rpm.ts'
import { compareSemver } from './semver.ts'

/** OSV ecosystems without their suffix. */
const orders: ReadonlyMap<string, Compare> = new Map([
  ['Debian', compareDpkg],
  ['Ubuntu', compareDpkg],
  ['Alpine', compareApk],
  ['Wolfi', compareApk],
  ['Chainguard', compareApk],
  ['AlmaLinux', compareRpm],
  ['Rocky Linux', compareRpm],
  ['Red Hat', compareRpm],
  ['SUSE', compareRpm],
  ['openSUSE', compareRpm],
  ['npm', compareSemver],
  ['PyPI', comparePep440],
  ['crates.io', compareSemver],
  ['Go', compareSemver],
])

/** In: an OSV ecosystem, with or without its suffix (`Debian:12`). Out: how its versions compare, where that is known here. */
export function orderFor(ecosystem: string): Compare | undefined {
  const colon = ecosystem.indexOf(':')
  return orders.get(colon < 0 ? ecosystem : ecosystem.slice(0, colon))
}
