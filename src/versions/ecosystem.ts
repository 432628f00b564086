// OSV schema, "Defined ecosystems": a name, and after a colon the release of a distribution.
import { channelsOf } from './channels.ts'

/** Distributions: their records judge a package as that distribution built it, so their words hold for no other. */
const distributions: ReadonlySet<string> = new Set([
  'AlmaLinux',
  'Alpaquita',
  'Alpine',
  'Arch Linux',
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
    channelsOf(ecosystem).includes(recorded) ||
    repositoriesOf(ecosystem).includes(recorded)
  )
}

/** In: a package's ecosystem. Out: the names under which records speak of it: its own, the family's, Ubuntu's with and without `:LTS`, those of repositories. */
export function spellingsOf(ecosystem: string): Set<string> {
  const spellings = new Set([ecosystem, familyOf(ecosystem), withoutLts(ecosystem), ...channelsOf(ecosystem), ...repositoriesOf(ecosystem)])
  if (/^Ubuntu:(?:Pro:)?\d{2}\.04$/.test(ecosystem)) spellings.add(`${ecosystem}:LTS`)
  return spellings
}

/** Repositories beside the main one whose names stand for the same packages there: all of Drupal's are `drupal/…`. */
function repositoriesOf(ecosystem: string): readonly string[] {
  return ecosystem === 'Packagist' ? drupal : []
}

const drupal = ['Packagist:https://packages.drupal.org/8', 'Packagist:https://packages.drupal.org/7']

/**
 * In: a package name as a record or an image spells it. Out: as the database keeps it: PyPI by PEP 503, those of NuGet and
 * Composer, which are one in any case, in small letters, the rest as it is.
 */
export function normalName(ecosystem: string, name: string): string {
  const family = familyOf(ecosystem)
  if (family === 'PyPI') return name.replaceAll(/[-_.]+/g, '-').toLowerCase()
  return family === 'NuGet' || family === 'Packagist' ? name.toLowerCase() : name
}

function withoutLts(ecosystem: string): string {
  return ecosystem.startsWith('Ubuntu:') && ecosystem.endsWith(':LTS') ? ecosystem.slice(0, -4) : ecosystem
}
