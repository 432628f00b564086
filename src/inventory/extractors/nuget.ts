import { messageOf } from '../../kit/errors.ts'
import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity } from '../text/identity.ts'
import { isObject, own, ownText, parseObject } from '../text/json.ts'
import type { JsonObject } from '../text/json.ts'

const packageName = /^\w+(?:[.-]\w+)*$/
const maxLibraries = 100_000
const maxNames = 5000

/** What a library brings that is there when the program runs; `compile` is for building alone. */
const runtimeAssets = ['runtime', 'native', 'runtimeTargets', 'resources']

/**
 * NuGet packages of a .NET program, by the file that its host reads: `NAME.deps.json`. A package of which nothing is there at
 * run time (the framework has it, or only the compiler needed it) is none; the run time that a self-contained program
 * carries is one. The caches of NuGet (`.nuget/packages`) are not read: a program in an image does not run from them.
 * github.com/dotnet/sdk, "Runtime Configuration Files".
 */
export const nuget = {
  name: 'nuget',
  version: 1,
  maxBytes: 64 * 1024 * 1024,
  wants: (path) => path.endsWith('.deps.json'),
  *extract(file): Generator<Fact> {
    const json = parseObject(file.bytes)
    if (json instanceof Error) {
      yield { problem: `not a JSON object: ${messageOf(json).slice(0, 100)}` }
      return
    }
    const libraries = own(json, 'libraries')
    if (!isObject(libraries)) return
    const entries = Object.entries(libraries)
    if (entries.length > maxLibraries) throw new Error(`lists ${entries.length} libraries, more than the ${maxLibraries} that are read`)
    yield* packagesOf(entries, targetOf(json))
  },
} satisfies Extractor

/** What the host loads: the target that `runtimeTarget` names. Undefined where the file has none: then nothing is left out. */
function targetOf(json: JsonObject): JsonObject | undefined {
  const named = own(json, 'runtimeTarget')
  const name = isObject(named) ? ownText(named, 'name') : typeof named === 'string' ? named : undefined
  const targets = own(json, 'targets')
  const target = name === undefined || !isObject(targets) ? undefined : own(targets, name)
  return isObject(target) ? target : undefined
}

function* packagesOf(libraries: [string, unknown][], target: JsonObject | undefined): Generator<Fact> {
  const direct = directIn(libraries, target)
  for (const [key, library] of libraries) {
    const type = isObject(library) ? ownText(library, 'type') : undefined
    if (type !== 'package' && type !== 'runtimepack') continue
    const inTarget = target === undefined ? undefined : own(target, key)
    if (target !== undefined && !hasAssets(inTarget)) continue
    const found = packageOf(key, inTarget)
    if (found === undefined) yield { problem: `${JSON.stringify(key.slice(0, 100))} is no name and version that can be read` }
    else yield { package: direct.has(found.name.toLowerCase()) ? { ...found, direct: true } : found }
  }
}

/** `NAME/VERSION`; a run time that was packed with the program has a word before the name of its package. */
function packageOf(key: string, inTarget: unknown): Package | undefined {
  const [name, version, ...others] = key.replace(/^runtimepack\./, '').split('/')
  if (!isIdentity(name) || !packageName.test(name) || !isIdentity(version) || others.length > 0) return undefined
  const requires = dependenciesOf(inTarget)
  return { kind: 'nuget', name, version, ...(requires.length > 0 && { requires }) }
}

/** `_._` is an empty folder that had to be named. */
function hasAssets(inTarget: unknown): boolean {
  if (!isObject(inTarget)) return false
  return runtimeAssets.some((kind) => {
    const assets = own(inTarget, kind)
    return isObject(assets) && Object.keys(assets).some((path) => !path.endsWith('_._'))
  })
}

/** What the program's own projects ask for, in lower case: NuGet's names know no case. */
function directIn(libraries: [string, unknown][], target: JsonObject | undefined): Set<string> {
  const projects = libraries.filter(([, library]) => isObject(library) && ownText(library, 'type') === 'project')
  return new Set(
    projects.flatMap(([key]) => dependenciesOf(target === undefined ? undefined : own(target, key))).map((name) => name.toLowerCase()),
  )
}

function dependenciesOf(inTarget: unknown): string[] {
  const dependencies = isObject(inTarget) ? own(inTarget, 'dependencies') : undefined
  return isObject(dependencies)
    ? Object.keys(dependencies)
        .filter((name) => name.length <= 256 && packageName.test(name))
        .slice(0, maxNames)
    : []
}
