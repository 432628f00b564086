// golang.org/x/mod/semver and "Go Modules Reference", Versions and Pseudo-versions; of toolchains go/version.
import { isTooLong, type Order } from './order.ts'
import { compareSemver } from './semver.ts'

/** With or without the `v` that OSV leaves out; `+incompatible` and any other build is ignored; pseudo-versions are pre-releases. */
const module =
  /^v?(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?)?$/

/** `go1.21rc2`, `1.20.3`, and what a builder puts behind it (`go1.22.1 X:loopvar`, `go1.21.6-fips`). */
const toolchain = /^go(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(alpha|beta|rc)(\d+))?(?:[ -]\S.*)?$/

/** In: two versions of Go modules or of Go itself. Out: their order; `(devel)` and what is no version is unknown. */
export function compareGo(a: string, b: string): Order {
  if (isTooLong(a, b)) return 'unknown'
  const left = moduleVersion(a)
  const right = moduleVersion(b)
  return left === undefined || right === undefined ? 'unknown' : compareSemver(left, right)
}

function moduleVersion(version: string): string | undefined {
  if (module.test(version)) return version
  const match = toolchain.exec(version)
  if (match === null) return undefined
  const [, major, minor = '0', patch = '0', stage, number] = match
  return `${major}.${minor}.${patch}${stage === undefined ? '' : `-${stage}.${number}`}`
}
