import { debianEcosystem } from '../../versions/debian-releases.ts'

/** In: `bookworm`, also with `-security` and the like behind it, as Debian's lists have it. Out: `Debian:12`. */
export function listedEcosystem(suite: string): string | undefined {
  return debianEcosystem(suite.split('-', 1)[0] ?? '')
}

/** A source package's name: Debian policy 5.6.1 (older lists have capitals). */
export const debianName = /^[A-Za-z0-9][A-Za-z0-9.+-]{0,127}$/
/** A version's characters: Debian policy 5.6.12. */
export const debianVersion = /^[A-Za-z0-9.+~:-]{1,255}$/
