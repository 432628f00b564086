/** Codenames of Debian's releases and the number that OSV's ecosystem carries; testing and unstable have none. */
const releases: ReadonlyMap<string, string> = new Map([
  ['woody', '3.0'],
  ['sarge', '3.1'],
  ['etch', '4'],
  ['lenny', '5'],
  ['squeeze', '6'],
  ['wheezy', '7'],
  ['jessie', '8'],
  ['stretch', '9'],
  ['buster', '10'],
  ['bullseye', '11'],
  ['bookworm', '12'],
  ['trixie', '13'],
  ['forky', '14'],
  ['duke', '15'],
])

/** In: `bookworm`, also with `-security` and the like behind it. Out: `Debian:12`. */
export function debianEcosystem(codename: string): string | undefined {
  const release = releases.get(codename.split('-')[0] ?? '')
  return release === undefined ? undefined : `Debian:${release}`
}

/** A source package's name: Debian policy 5.6.1 (older lists have capitals). */
export const debianName = /^[A-Za-z0-9][A-Za-z0-9.+-]{0,127}$/
/** A version's characters: Debian policy 5.6.12. */
export const debianVersion = /^[A-Za-z0-9.+~:-]{1,255}$/
