// OSV schema, "Defined ecosystems": a name, and after a colon the release of a distribution.
import { channelsOf } from './channels.ts'

/** Distributions: their records judge a package as that distribution built it, so their words hold for no other. */
const distributions: ReadonlySet<string> = new Set([
  'AlmaLinux',
  'Alpaquita',
  'Alpine',
  'Azure Linux',
  'BellSoft Hardened Containers',
  'Chainguard',
  'CleanStart',
  'Debian',
  'Docker Hardened Images',
  'Echo',
  'Mageia',
  'MinimOS',
  'Photon OS',
  'Red Hat',
  'Rocky Linux',
  'SUSE',
  'Ubuntu',
  'Wolfi',
  'openEuler',
  'openSUSE',
])

/** In: `Debian:12`. Out: `Debian`. */
export function familyOf(ecosystem: string): string {
  const colon = ecosystem.indexOf(':')
  return colon < 0 ? ecosystem : ecosystem.slice(0, colon)
}

export function isDistribution(ecosystem: string): boolean {
  return distributions.has(familyOf(ecosystem))
}

/**
 * Whether a record's ecosystem speaks of packages of this one: the same, or the whole family. One release never speaks
 * for another. Ubuntu's records name a long-term release with and without `:LTS`, Red Hat's and SUSE's the repository.
 */
export function speaksOf(recorded: string, ecosystem: string): boolean {
  return (
    recorded === ecosystem ||
    recorded === familyOf(ecosystem) ||
    withoutLts(recorded) === withoutLts(ecosystem) ||
    channelsOf(ecosystem).includes(recorded)
  )
}

/** In: a package's ecosystem. Out: the names under which records speak of it: its own, the family's, Ubuntu's with and without `:LTS`, those of repositories. */
export function spellingsOf(ecosystem: string): Set<string> {
  const spellings = new Set([ecosystem, familyOf(ecosystem), withoutLts(ecosystem), ...channelsOf(ecosystem)])
  if (/^Ubuntu:(?:Pro:)?\d{2}\.04$/.test(ecosystem)) spellings.add(`${ecosystem}:LTS`)
  return spellings
}

/** In: a package name as a record or an image spells it. Out: as the database keeps it: PyPI by PEP 503, the rest as it is. */
export function normalName(ecosystem: string, name: string): string {
  return ecosystem === 'PyPI' ? name.replaceAll(/[-_.]+/g, '-').toLowerCase() : name
}

function withoutLts(ecosystem: string): string {
  return ecosystem.startsWith('Ubuntu:') && ecosystem.endsWith(':LTS') ? ecosystem.slice(0, -4) : ecosystem
}
