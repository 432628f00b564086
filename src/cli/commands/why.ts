import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import type { BaseImage } from '../../model/base.ts'
import type { Reason } from '../../model/verdict.ts'
import { baseLines } from '../base-text.ts'
import { openClient } from '../client.ts'
import { exit, type Command, type ExitCode, type Io } from '../command.ts'
import { isJson, jsonText } from '../options.ts'

interface Answer {
  image: string
  decision: 'allow' | 'warn' | 'deny' | 'pending'
  policy?: string
  judgedAt?: string
  validUntil?: string
  reasons: Reason[]
  alternatives: { reference: string }[]
  children: { digest: string; platform?: string; decision: string }[]
  base?: BaseImage
}

const words = { allow: 'may be pulled', warn: 'may be pulled, with warnings', deny: 'is held', pending: 'is being examined' }

export const why: Command = {
  usage: 'IMAGE [--platform OS/ARCH] [--wait SECONDS] [--format table|json]',
  summary: 'Say how an image stands on the server, and what to change',
  details: ['Exit: 0 it may be pulled, 3 it is held, 1 it is still being examined.'],
  async run(args, io) {
    const options = {
      format: { type: 'string', default: 'table' },
      platform: { type: 'string' },
      wait: { type: 'string', default: '0' },
    } as const
    const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
    const [image, extra] = positionals
    if (image === undefined || extra !== undefined) throw new LazaretError('USAGE', 'one IMAGE is wanted')
    const asJson = isJson(values.format)
    await using client = await openClient(io, 'why')
    const answer = await client.get<Answer>('/verdict', {
      image: withoutHost(image, client.server),
      platform: values.platform,
      wait: values.wait,
    })
    if (asJson) io.out(jsonText(answer))
    else print(answer, io)
    return exitCode(answer.decision)
  },
}

/** `localhost:5000/shop/api:1` is `shop/api:1` on that server. */
function withoutHost(image: string, server: string): string {
  const host = `${new URL(server).host}/`
  return image.startsWith(host) ? image.slice(host.length) : image
}

function print(answer: Answer, io: Io): void {
  io.out(
    `${answer.image}\n${words[answer.decision]}${answer.policy === undefined ? '' : ` (policy ${answer.policy}, judged ${answer.judgedAt ?? '?'})`}\n`,
  )
  for (const reason of answer.reasons) io.out(`\n  ${reason.rule}: ${reason.message}\n    ${reason.remedy}\n`)
  for (const child of answer.children) io.out(`\n  ${child.platform ?? 'unknown platform'}  ${child.decision}  ${child.digest}\n`)
  const base = answer.base === undefined ? [] : baseLines(answer.base)
  if (base.length > 0) io.out(`\n${base.map((line) => `${line}\n`).join('')}`)
  const nearest = answer.alternatives[0]
  if (nearest !== undefined) io.out(`\nNearest image that passes: ${nearest.reference}\n`)
}

function exitCode(decision: Answer['decision']): ExitCode {
  if (decision === 'deny') return exit.refused
  return decision === 'pending' ? exit.failed : exit.fine
}
