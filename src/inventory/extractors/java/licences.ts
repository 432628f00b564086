import { spdxOf } from '../../licences/licences.ts'
import { shortText } from '../../text/identity.ts'
import type { Manifest } from './manifest.ts'

/** No project has so many licences, nor writes so much of them. */
const mostChars = 16 * 1024
const mostLicences = 20

/**
 * In: a pom.xml. Out: its licences, one of which may be chosen; undefined where it names none itself: its parent, which is not
 * here, may. Each by its name, else by its address, as far as these are SPDX's. Maven, "POM Reference", "Licenses".
 */
export function licenceOfPom(bytes: Buffer): string | undefined {
  const start = bytes.indexOf('<licenses>')
  if (start < 0) return undefined
  const text = withoutComments(bytes.toString('utf8', start, start + mostChars))
  const block = text.slice(0, Math.max(0, text.indexOf('</licenses>')))
  const stated = block
    .split('<license>')
    .slice(1, mostLicences + 1)
    .flatMap((one) => statedBy(elementOf(one, 'name'), elementOf(one, 'url')) ?? [])
  return joined(stated)
}

/** In: the manifest of a bundle. Out: its licence, where every part of it has a name of SPDX's. OSGi Core, "Bundle-License". */
export function licenceOfManifest(manifest: Manifest): string | undefined {
  const stated = (manifest.get('bundle-license') ?? '').slice(0, 2048)
  const whole = partOf(stated)
  if (whole !== undefined) return whole
  const known = stated.split(',').slice(0, mostLicences).map(partOf)
  return known.includes(undefined) ? undefined : joined(known.filter((one) => one !== undefined))
}

/** `"Apache-2.0";link="https://…"`. */
function partOf(text: string): string | undefined {
  return spdxOf(text.replace(/;.*$/s, '').replaceAll('"', ''))
}

function statedBy(name: string | undefined, url: string | undefined): string | undefined {
  return spdxOf(name ?? '') ?? spdxOf(url ?? '') ?? name ?? url
}

function joined(stated: readonly string[]): string | undefined {
  const each = [...new Set(stated)]
  return shortText(each.length === 1 ? each[0] : each.map((one) => (/ (?:AND|OR) /.test(one) ? `(${one})` : one)).join(' OR '))
}

function elementOf(xml: string, name: string): string | undefined {
  const start = xml.indexOf(`<${name}>`)
  const end = start < 0 ? -1 : xml.indexOf(`</${name}>`, start)
  const text = end < 0 ? '' : xml.slice(start + name.length + 2, end)
  return shortText(text.replaceAll('&amp;', '&').replaceAll(/\s+/g, ' '))
}

function withoutComments(xml: string): string {
  const parts = xml.split('<!--')
  return [parts[0] ?? '', ...parts.slice(1).map((part) => afterComment(part))].join('')
}

/** One that is not closed goes on to the end. */
function afterComment(part: string): string {
  const end = part.indexOf('-->')
  return end < 0 ? '' : part.slice(end + 3)
}
