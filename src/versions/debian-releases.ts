/** debian.org/releases; testing and unstable have no number. */
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

/** In: the codename of one of Debian's releases. Out: `Debian:12`, as OSV names it; undefined for any other word. */
export function debianEcosystem(codename: string): string | undefined {
  const release = releases.get(codename)
  return release === undefined ? undefined : `Debian:${release}`
}
