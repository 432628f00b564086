import { LazaretError } from '../kit/errors.ts'

const form = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** Users and robots share one space of names, so that a sign-in by name can mean only one of them. */
export function isAccountName(text: string): boolean {
  return form.test(text)
}

/** Throws LazaretError INPUT_INVALID where no account can have that name. */
export function requireAccountName(text: string): void {
  if (!isAccountName(text)) {
    throw new LazaretError(
      'INPUT_INVALID',
      `not a name: ${JSON.stringify(text.slice(0, 80))}: 1 to 63 of a-z, 0-9, "." "_" "-", beginning with a letter or digit`,
    )
  }
  if (text === 'anonymous' || text === 'system') throw new LazaretError('INPUT_INVALID', `the name ${text} is reserved`)
}
