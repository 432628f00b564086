import type { Package } from '../../../model/package.ts'
import type { Fact } from '../../extractor.ts'
import { isIdentity } from '../../text/identity.ts'
import type { BuildInfo } from './buildinfo.ts'

/** What a module is called that was built from a working tree: which version that is, nobody knows. */
const devel = '(devel)'

interface Module {
  path: string
  version: string
}

/**
 * In: the build info of a program. Out: the standard library with the version of the toolchain, the main module with its
 * VCS stamp, and each module that was linked, replaced ones as what replaced them. A version that was only set by
 * `-ldflags -X` stands nowhere in it and is not guessed.
 * runtime/debug, ParseBuildInfo.
 */
export function factsOf(info: BuildInfo): Fact[] {
  const list = parseModules(info.modules)
  const version = toolchainVersion(info.version)
  const facts: Fact[] = [{ package: { kind: 'golang', name: 'stdlib', version } }]
  if (list.path?.startsWith('cmd/') === true) facts.push({ package: { kind: 'golang', name: 'toolchain', version } })
  if (info.modules === '') facts.push({ unsupported: { kind: 'Go program without a list of its modules', component: true } })
  if (list.main !== undefined) facts.push(factOf(mainOf(list.main), list.build))
  return [...facts, ...list.dependencies.map((module) => factOf(module))]
}

/** Stamped so where the clone had no tags, as shallow ones have none: before which release that is, nobody knows. */
function mainOf({ path, version }: Module): Module {
  return { path, version: /^v0\.0\.0-\d{14}-/.test(version) ? devel : version }
}

interface ModuleList {
  path?: string
  main?: Module
  dependencies: Module[]
  build: Map<string, string>
}

/** Lines of tab-separated fields: `path`, `mod`, `dep`, `=>` (replaces the module above it), `build`. */
function parseModules(text: string): ModuleList {
  const list: ModuleList = { dependencies: [], build: new Map() }
  let last: Module | undefined
  for (const line of text.split('\n')) {
    const [word, first = '', second = ''] = line.split('\t')
    if (word === 'path') list.path ??= first
    if (word === 'mod') last = list.main ??= { path: first, version: second }
    if (word === 'dep') {
      last = { path: first, version: second }
      list.dependencies.push(last)
    }
    if (word === '=>' && last !== undefined) replace(last, first, second)
    if (word === 'build') setBuild(list.build, first)
  }
  return list
}

/** A folder in place of a module holds that module's packages in a version that nobody knows. */
function replace(module: Module, path: string, version: string): void {
  const isFolder = /^(?:\.{0,2}[/\\]|\.{1,2}$|[A-Za-z]:[/\\])/.test(path) || version === ''
  if (!isFolder) module.path = path
  module.version = isFolder ? devel : version
}

function setBuild(build: Map<string, string>, setting: string): void {
  const equals = setting.indexOf('=')
  if (equals > 0) build.set(setting.slice(0, equals), setting.slice(equals + 1))
}

function factOf({ path, version }: Module, build?: ReadonlyMap<string, string>): Fact {
  const known = version === '' ? devel : version
  if (!isIdentity(path) || !isIdentity(known)) return { unsupported: { kind: 'Go module with an unreadable name', component: true } }
  const stamp = build === undefined ? undefined : vcsOf(build)
  return { package: { kind: 'golang', name: path, version: known, ...(stamp !== undefined && { vcs: stamp }) } }
}

function vcsOf(build: ReadonlyMap<string, string>): Package['vcs'] {
  const revision = build.get('vcs.revision')
  if (!isIdentity(revision)) return undefined
  return { revision, modified: build.get('vcs.modified') === 'true' }
}

/**
 * `go1.22.1 X:loopvar` → `1.22.1`; `go1.23rc1` → `1.23.0-rc.1`; `devel go1.24-abc…` → `1.24.0-devel.abc`. What a vendor
 * adds (`go1.22.3-1`) is left off: the numbers are Go's own. Another text is no version, and stays as it is.
 */
export function toolchainVersion(text: string): string {
  const development = /^devel go(\d+\.\d+)-([0-9a-f]+)/.exec(text)
  if (development !== null) return `${development[1]}.0-devel.${development[2]}`
  const match = /^go(\d+\.\d+)(\.\d+)?(?:(rc|beta|alpha)(\d+))?/.exec(text)
  if (match === null) return devel
  const [, minor, patch, stage, number] = match
  return stage === undefined ? `${minor}${patch ?? ''}` : `${minor}${patch ?? '.0'}-${stage}.${number}`
}
