// Ecosystem names: ossf.github.io/osv-schema, "Defined ecosystems".

/** Distributions: their records judge a package as that distribution built it, so their words hold for no other. */
const distributions: ReadonlySet<string> = new Set([
  'AlmaLinux',
  'Alpaquita',
  'Alpine',
  'Azure Linux',
  'BellSoft Hardened Containers',
  'Chainguard',
  'Debian',
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
export function ecosystemBase(ecosystem: string): string {
  const colon = ecosystem.indexOf(':')
  return colon < 0 ? ecosystem : ecosystem.slice(0, colon)
}

export function isDistribution(ecosystem: string): boolean {
  return distributions.has(ecosystemBase(ecosystem))
}

/** In: a package name as a record or an image spells it. Out: as this database keeps it: PyPI by PEP 503, the rest as it is. */
export function packageName(ecosystem: string, name: string): string {
  return ecosystem === 'PyPI' ? name.replaceAll(/[-_.]+/g, '-').toLowerCase() : name
}
