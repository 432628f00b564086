import { createRequire } from 'node:module'
import type * as PackageUrls from 'packageurl-js'

type Parts = ConstructorParameters<typeof PackageUrls.PackageURL>

let loaded: typeof PackageUrls | undefined

/** In: the parts of a package URL. Out: its text. Throws where they make none. Loaded when the first is wanted: a known image has its own. */
export function packageUrl(...parts: Parts): string {
  loaded ??= createRequire(import.meta.url)('packageurl-js') as typeof PackageUrls
  return new loaded.PackageURL(...parts).toString()
}
