import type { SourceName } from '../../model/advisory-sources.ts'
import type { Coverage } from '../form.ts'
import type { Dropped } from '../tally.ts'
import type { PartState } from './state.ts'
import type { FetchTools } from './tools.ts'

/** A source that is asked over the network: data, and one function. */
export interface Feed {
  name: SourceName
  /** Its own address: of the file, or of the folder that parts lie in. */
  origin: string
  /** Hosts beside its own that its answers may lead to. */
  hosts: readonly string[]
  /** Whether it was seen to work with the source itself, and not only with a server of ours that speaks as it does. */
  proven: boolean
  /** Parts that are asked one by one, so that a bad one stops no other; one without a name where the source is one file. */
  parts(wanted: Wanted): readonly string[]
  /** In: a part, and what is known of it. Out: files to import, or that nothing is new. Throws a FetchProblem. */
  bring(ask: PartAsk, tools: FetchTools): Promise<Fetched>
}

/** What the parts of a source are chosen by. */
export interface Wanted {
  /** As the operator set them; undefined to go by `held`. */
  ecosystems: readonly string[] | undefined
  /** Ecosystems that images have packages of, or that are judged already. */
  held: readonly string[]
}

export interface PartAsk {
  part: string
  base: URL
  hosts: readonly string[]
  /** Of before; undefined where all is to be read anew. */
  known: PartState | undefined
  /** A folder for files of this part alone: names in it are kept until it is read. */
  folder: string
}

export type Fetched =
  | { state: 'unchanged'; next: NextState; fresh: Fresh }
  | {
      state: 'new'
      how: 'whole' | 'delta'
      files: string[]
      /** In them, as far as the source says; 0 where it does not. */
      records: number
      bytes: number
      /** How many records the source says it has. */
      listed?: number
      /** What was left out before there was a file of it. */
      dropped: Dropped[]
      next: NextState
      fresh: Fresh
    }

/** What to remember once what was fetched is in force. */
export type NextState = Pick<PartState, 'validators' | 'dataAt' | 'cursor' | 'missing'>

/** Of which ecosystems the data is known to be of today. */
export interface Fresh {
  /** Families: `Debian` for all releases of it that are covered whole. */
  families: string[]
  /** What the source vouches for as a whole. */
  coverage: Coverage[]
}
