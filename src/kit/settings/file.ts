import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type * as YamlModule from 'yaml'
import type { Node, Pair } from 'yaml'
import { LazaretError, messageOf } from '../errors.ts'
import { isSettingPath, laterNames, settingPaths } from './catalogue.ts'
import type { Given } from './given.ts'
import { shown } from './kinds.ts'
import { nearest } from './nearest.ts'

const maxFileBytes = 1024 * 1024

type Yaml = typeof YamlModule
interface File {
  path: string
  /** As errors name it. */
  shownAs: string
  lineAt(node: Node | null | undefined): number
  yaml: Yaml
  problems: string[]
  given: Given[]
}

/**
 * In: path of a settings file and the name that messages give it. Out: the settings in it, with `problems` added to.
 * Throws SETTING_INVALID where it can't be read or is no YAML 1.2 map. Anchors and aliases are refused, and with them the bombs
 * made of them; a key may stand once.
 */
export function fromFile(path: string, shownAs: string, problems: string[]): Given[] {
  const file = parseFile(path, shownAs, readBounded(path, shownAs), problems)
  return file.given
}

/** The same for text that is already in memory. */
export function parseFile(path: string, shownAs: string, source: string, problems: string[]): File {
  // Loaded only where there is a file: 20 ms that most commands needn't wait.
  const yaml = createRequire(import.meta.url)('yaml') as Yaml
  const lines = new yaml.LineCounter()
  const document = parsed(yaml, source, lines, shownAs)
  const lineAt = (node: Node | null | undefined): number => lines.linePos(node?.range?.[0] ?? 0).line
  const file: File = { path, shownAs, lineAt, yaml, problems, given: [] }
  const root = document.contents
  if (root === null || (yaml.isScalar(root) && root.value === null)) return file
  if (!yaml.isMap(root)) throw new LazaretError('SETTING_INVALID', `${shownAs}: a map of settings was expected`)
  walk(file, root.items, '')
  return file
}

function parsed(yaml: Yaml, source: string, lines: InstanceType<Yaml['LineCounter']>, shownAs: string): ReturnType<Yaml['parseDocument']> {
  let document: ReturnType<Yaml['parseDocument']>
  try {
    // Duplicates are found in `walk`, by a set: the parser's own look is quadratic.
    document = yaml.parseDocument(source, {
      lineCounter: lines,
      uniqueKeys: false,
      strict: true,
      version: '1.2',
      prettyErrors: false,
      logLevel: 'error',
    })
  } catch (error) {
    // Brackets nested many thousand deep exhaust the parser's stack.
    throw new LazaretError('SETTING_INVALID', `${shownAs}: can't be parsed: ${messageOf(error)}`, { cause: error })
  }
  const wrong = document.errors[0] ?? document.warnings[0]
  if (wrong !== undefined)
    throw new LazaretError('SETTING_INVALID', `${shownAs}:${lines.linePos(wrong.pos[0]).line}: ${messageOf(wrong)}`, { cause: wrong })
  return document
}

function walk(file: File, items: Pair[], prefix: string): void {
  const seen = new Set<string>()
  for (const pair of items) {
    const key = keyOf(file, pair)
    if (key === undefined) continue
    const path = prefix + key
    const where = `${file.shownAs}:${file.lineAt(pair.key as Node)}`
    if (seen.has(key)) file.problems.push(`${where}: ${path} stands twice`)
    seen.add(key)
    if (file.problems.length >= 20) return
    if (isSettingPath(path)) take(file, path, pair.value as Node | null, where)
    else if (settingPaths.some((other) => other.startsWith(`${path}.`))) descend(file, path, pair.value as Node | null, where)
    else file.problems.push(`${where}: ${unknownName(path)}`)
  }
}

function keyOf(file: File, pair: Pair): string | undefined {
  const { key } = pair
  if (file.yaml.isScalar(key) && typeof key.value === 'string' && key.anchor === undefined) return key.value
  file.problems.push(`${file.shownAs}:${file.lineAt(key as Node)}: a key must be the name of a setting`)
  return undefined
}

function descend(file: File, path: string, value: Node | null, where: string): void {
  if (value === null || (file.yaml.isScalar(value) && value.value === null)) return
  if (file.yaml.isMap(value) && value.anchor === undefined) walk(file, value.items as Pair[], `${path}.`)
  else file.problems.push(`${where}: ${path} must be a map of ${settingPaths.filter((other) => other.startsWith(`${path}.`)).join(', ')}`)
}

function take(file: File, path: Given['path'], value: Node | null, where: string): void {
  const raw = plain(file, value, where, 0)
  file.given.push({ path, raw, folder: dirname(file.path), from: where, name: `${where}: ${path}` })
}

/** A node as plain data: scalars, lists, and maps of scalars, three deep, which is more than any setting needs. */
function plain(file: File, node: Node | null, where: string, depth: number): unknown {
  const { yaml } = file
  if (node === null) return null
  if (yaml.isAlias(node) || (node as { anchor?: string }).anchor !== undefined) {
    file.problems.push(`${where}: anchors and aliases are not read here`)
    return null
  }
  if (yaml.isScalar(node)) return node.value
  if (depth === 3) return undefined
  if (yaml.isSeq(node)) return node.items.map((item) => plain(file, item as Node, where, depth + 1))
  if (!yaml.isMap(node)) return undefined
  return Object.fromEntries(
    node.items.map((pair) => [String(yaml.isScalar(pair.key) ? pair.key.value : ''), plain(file, pair.value as Node, where, depth + 1)]),
  )
}

function unknownName(path: string): string {
  if (laterNames.includes(path)) return `this version has no ${path} yet`
  const sections = [...new Set(settingPaths.flatMap((other) => (other.includes('.') ? [other.slice(0, other.indexOf('.'))] : [])))]
  const meant = nearest(path, [...settingPaths, ...sections, ...laterNames])
  return `${shown(path).slice(1, -1)} is not a setting${meant === undefined ? '' : `, did you mean ${meant}?`}`
}

function readBounded(path: string, shownAs: string): string {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    if (!fstatSync(descriptor).isFile()) throw new LazaretError('SETTING_INVALID', `${shownAs} is not a file`)
    const bytes = Buffer.alloc(maxFileBytes + 1)
    let length = 0
    for (let read = 1; read > 0 && length <= maxFileBytes; length += read)
      read = readSync(descriptor, bytes, length, bytes.length - length, null)
    if (length > maxFileBytes) throw new LazaretError('SETTING_INVALID', `${shownAs} is larger than ${maxFileBytes} bytes`)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length))
  } catch (error) {
    if (error instanceof LazaretError) throw error
    throw new LazaretError('SETTING_INVALID', `${shownAs} can't be read: ${messageOf(error)}`, { cause: error })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
