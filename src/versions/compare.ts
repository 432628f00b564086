import { compareAlpm } from './alpm.ts'
import { compareApk } from './apk.ts'
import { compareBitnami } from './bitnami.ts'
import { compareCran } from './cran.ts'
import { compareCrates } from './crates.ts'
import { compareDpkg } from './dpkg.ts'
import { compareGem } from './gem.ts'
import { compareGo } from './go.ts'
import { compareHackage } from './hackage.ts'
import { compareHex } from './hex.ts'
import { compareMaven } from './maven.ts'
import { compareNuget } from './nuget.ts'
import type { Compare } from './order.ts'
import { comparePackagist } from './packagist.ts'
import { comparePep440 } from './pep440.ts'
import { comparePub } from './pub.ts'
import { compareRpm } from './rpm.ts'
import { compareSemver } from './semver.ts'

/** OSV ecosystems without their suffix. */
const orders: ReadonlyMap<string, Compare> = new Map([
  ['Debian', compareDpkg],
  ['Ubuntu', compareDpkg],
  ['Alpine', compareApk],
  ['Wolfi', compareApk],
  ['Chainguard', compareApk],
  ['Arch Linux', compareAlpm],
  ['AlmaLinux', compareRpm],
  ['Rocky Linux', compareRpm],
  ['Red Hat', compareRpm],
  ['SUSE', compareRpm],
  ['openSUSE', compareRpm],
  ['Azure Linux', compareRpm],
  ['Photon OS', compareRpm],
  ['Mageia', compareRpm],
  ['openEuler', compareRpm],
  ['npm', compareSemver],
  ['PyPI', comparePep440],
  ['crates.io', compareCrates],
  ['Go', compareGo],
  ['RubyGems', compareGem],
  ['Packagist', comparePackagist],
  ['NuGet', compareNuget],
  ['Maven', compareMaven],
  ['Pub', comparePub],
  ['Hex', compareHex],
  ['CRAN', compareCran],
  ['Bioconductor', compareCran],
  ['Hackage', compareHackage],
  ['GHC', compareHackage],
  ['Bitnami', compareBitnami],
  ['SwiftURL', compareSemver],
  ['GitHub Actions', compareSemver],
  // opam orders as Debian does (opam.ocaml.org/doc/Manual.html, "Version ordering").
  ['opam', compareDpkg],
  // The feed of Kubernetes' own components.
  ['kubernetes', compareSemver],
])

/** In: an OSV ecosystem, with or without its suffix (`Debian:12`). Out: how its versions compare, where that is known here. */
export function orderFor(ecosystem: string): Compare | undefined {
  const colon = ecosystem.indexOf(':')
  return orders.get(colon < 0 ? ecosystem : ecosystem.slice(0, colon))
}
