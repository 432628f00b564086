import { messageOf } from '../../kit/errors.ts'
import { endOfCode } from '../executable/executable.ts'
import { Search } from '../executable/search.ts'
import type { Extractor, Fact } from '../extractor.ts'
import type { FileHead, Probe } from '../probe.ts'
import { isIdentity } from '../text/identity.ts'
import { isObject, own, ownText, parseObject } from '../text/json.ts'
import type { JsonObject } from '../text/json.ts'

const resolved = /(?:^|\/)Package\.resolved$/
/** What SwiftPM fetched has files of its own, which it does not heed. */
const fetched = /(?:^|\/)(?:\.build|SourcePackages)\/(?:checkouts|repositories|artifacts)\//
const maxPins = 50_000

/**
 * Packages that a Swift program was resolved with: `Package.resolved` of the versions 1 to 3. A program itself holds no list of
 * them: it is named. swiftlang/swift-package-manager, Sources/PackageGraph/ResolvedPackagesStore.swift; OSV schema, "SwiftURL";
 * purl-spec, swift.
 */
export const swift = {
  name: 'swift',
  version: 1,
  maxBytes: 16 * 1024 * 1024,
  wants: (path) => path.endsWith('Package.resolved') && resolved.test(path) && !fetched.test(path),
  *extract({ bytes }): Generator<Fact> {
    const json = parseObject(bytes)
    if (json instanceof Error) {
      yield { problem: `not a JSON object: ${messageOf(json).slice(0, 100)}` }
      return
    }
    const pins = pinsOf(json)
    if (pins.length > maxPins) throw new Error(`lists ${pins.length} packages, more than the ${maxPins} that are read`)
    for (const [at, pin] of pins.entries()) yield factOf(pin, at)
  },
  probe: (head) => programProbe(head),
} satisfies Extractor

/** The first version keeps them one deeper. */
function pinsOf(json: JsonObject): unknown[] {
  const object = own(json, 'object')
  const pins = own(json, 'pins') ?? (isObject(object) ? own(object, 'pins') : undefined)
  return Array.isArray(pins) ? (pins as unknown[]) : []
}

function factOf(pin: unknown, at: number): Fact {
  if (!isObject(pin)) return { problem: `package ${at + 1} is no object` }
  const name = nameOf(ownText(pin, 'location') ?? ownText(pin, 'repositoryURL') ?? '')
  const state = own(pin, 'state')
  const version = isObject(state) ? ownText(state, 'version') : undefined
  if (isIdentity(name) && isIdentity(version)) return { package: { kind: 'swift', name, version } }
  const word = (ownText(pin, 'identity') ?? ownText(pin, 'package') ?? `package ${at + 1}`).replaceAll(/[^\w.@/+-]/g, '?').slice(0, 100)
  const branch = isObject(state) ? ownText(state, 'branch') : undefined
  return {
    unsupported: {
      kind: 'swift',
      component: true,
      name: `${word} of ${branch === undefined ? 'a place or version that is not said' : 'a branch, without a version'}`,
    },
  }
}

/** `https://github.com/apple/swift-nio.git`, `git@github.com:apple/swift-nio` → `github.com/apple/swift-nio`. */
function nameOf(location: string): string | undefined {
  const [, host, path] =
    /^(?:https?|ssh|git):\/\/(?:[^/@]{1,256}@)?([\w.-]{1,256})(?::\d{1,5})?\/(.{1,512})$/.exec(location) ??
    /^(?:[\w.-]{1,64}@)([\w.-]{1,256}):(.{1,512})$/.exec(location) ??
    []
  const parts = (path ?? '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split('/')
  const isPath = parts.length >= 2 && parts.every((part) => /^[\w.~+-]+$/.test(part))
  return host === undefined || !isPath ? undefined : `${host.toLowerCase()}/${parts.join('/')}`
}

/** Names of sections stand at the end of a program. */
const namesBytes = 64 * 1024
const sectionName = Buffer.from('\0swift5_type_metadata\0')

function programProbe({ program, sizeBytes }: FileHead): Probe | undefined {
  if (program?.format !== 'elf') return undefined
  const search = new Search(sectionName, Math.max(endOfCode(program), sizeBytes - namesBytes))
  let isSwift = false
  return {
    push: (bytes, offset) => {
      for (const _ of search.push(bytes, offset)) isSwift = true
    },
    finish: () => ({
      facts: isSwift ? [{ unsupported: { kind: 'Swift program without a list of its packages', component: true } }] : [],
    }),
  }
}
