import type { Package } from '../../../model/package.ts'
import { isIdentity, shortText } from '../../text/identity.ts'
import { linesOf } from '../../text/lines.ts'

const maxLineBytes = 64 * 1024
const maxLines = 20_000
const maxNames = 1000

/** A text as RubyGems writes it, frozen or not, and as people do. */
const text = String.raw`(?:"([^"\\#]{0,1024})"|'([^'\\]{0,1024})'|%q<([^<>]{0,1024})>)`
const assignment = new RegExp(
  String.raw`^\s{0,64}\w{1,32}\.(name|version|platform|licenses?)\s{0,8}=\s{0,8}(?:Gem::Version\.new\(?\s{0,8}|Gem::Platform\.new\(?\s{0,8})?(\[?\s{0,8}${text}.*)`,
)
const dependency = new RegExp(String.raw`^\s{0,64}\w{1,32}\.add_((?:runtime_|development_)?dependency)[\s(]{1,8}${text}`)
const stub = /^# stub: (\S{1,256}) (\S{1,256}) (\S{1,256}) /
const gemName = /^[A-Za-z0-9._-]+$/

/** What a specification says in words that need no Ruby to be read. */
interface Said {
  stub?: { name: string; version: string; platform: string }
  name?: string
  version?: string
  platform?: string
  licences: string[]
  runtime: string[]
  development: string[]
  plain: string[]
}

/**
 * In: a .gemspec. It is a program, so only lines of known form are read, and nothing is run. Out: the gem; undefined where no
 * name or version stands there as a text. The line that RubyGems itself reads first, `# stub:`, comes before the others.
 * guides.rubygems.org, "Specification Reference"; rubygems, `Gem::StubSpecification`.
 */
export function gemOf(bytes: Buffer): Package | undefined {
  const said = readLines(bytes)
  const name = said.stub?.name ?? said.name
  const version = said.stub?.version ?? said.version
  if (!isIdentity(name) || !gemName.test(name) || !isIdentity(version)) return undefined
  const platform = said.stub?.platform ?? said.platform
  const licence = shortText(said.licences.join(' OR '))
  const requires = requiredBy(said)
  return {
    kind: 'gem',
    name,
    version,
    ...(licence !== undefined && { licence }),
    ...(requires.length > 0 && { requires }),
    ...(isIdentity(platform) && platform !== 'ruby' && { qualifiers: { platform } }),
  }
}

function readLines(bytes: Buffer): Said {
  const said: Said = { licences: [], runtime: [], development: [], plain: [] }
  for (const { number, start, end } of linesOf(bytes)) {
    if (number > maxLines) break
    readLine(bytes.toString('utf8', start, Math.min(end, start + maxLineBytes)), said)
  }
  return said
}

function readLine(line: string, said: Said): void {
  const [, stubName, version, platform] = stub.exec(line) ?? []
  if (stubName !== undefined && version !== undefined && platform !== undefined) said.stub ??= { name: stubName, version, platform }
  const assigned = assignment.exec(line)
  if (assigned !== null) assign(said, assigned[1] ?? '', assigned[2] ?? '')
  const [, kind, ...quoted] = dependency.exec(line) ?? []
  const name = quoted.find((one) => one !== undefined)
  if (name === undefined || !gemName.test(name)) return
  const names = kind === 'runtime_dependency' ? said.runtime : kind === 'dependency' ? said.plain : said.development
  if (names.length < maxNames) names.push(name)
}

function assign(said: Said, field: string, value: string): void {
  const texts = [...value.matchAll(new RegExp(text, 'g'))].slice(0, 20).map(([, a, b, c]) => a ?? b ?? c ?? '')
  if (field.startsWith('license')) said.licences.push(...texts)
  else if (field === 'name') said.name ??= texts[0] ?? ''
  else if (field === 'version') said.version ??= texts[0] ?? ''
  else if (field === 'platform') said.platform ??= texts[0] ?? ''
}

/** Older RubyGems write a second list for readers older still, in which those for development stand too. */
function requiredBy({ runtime, development, plain }: Said): string[] {
  return [...new Set(runtime.length > 0 ? runtime : plain.filter((name) => !development.includes(name)))]
}
