import type { BaseImage } from '../model/base.ts'
import { harmless } from './table.ts'

/** In: what an image was built on. Out: lines for people, none where nothing is known and nothing claimed. What it claims may be anything. */
export function baseLines(base: BaseImage): string[] {
  return [...provenLine(base), ...claimLine(base)].map(harmless)
}

function provenLine({ known, layers, names = [], others, why }: BaseImage): string[] {
  if (known === 'unknown') return why === undefined ? [] : [`Built on: unknown, as ${why}`]
  const own = layers === 1 ? 'its lowest layer' : `its lowest ${layers} layers`
  if (known === 'hidden') return [`Built on an image that you can't see (${own})`]
  const more = others === undefined ? '' : `, as ${others === 1 ? 'one more image has' : `${others} more images have`} them`
  return [`Built on ${names.join(', ')} (${own}${more})`]
}

function claimLine({ names = [], digest, claim }: BaseImage): string[] {
  const said = claim?.name ?? claim?.digest
  if (said === undefined || names.includes(said) || (digest !== undefined && claim?.digest === digest)) return []
  return [`It says of itself that it is built on ${said}, which proves nothing`]
}
