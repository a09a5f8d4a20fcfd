// What a login asks for next, read from the code of its refusal.
import type { ApiError } from '@/api/errors'

/** `password`: name and password; `code`: a code of the second factor too; `enrol`: a second factor has to be set up first. */
export type Step = 'password' | 'code' | 'enrol'

export interface Turn {
  step: Step
  /** A picture has to be read with the next try. */
  captcha: boolean
  /** The refusal is a question, not a failure, so it is not shown as one. */
  isQuestion: boolean
  enrolmentToken: string
}

const CAPTCHA = new Set(['captcha_required', 'captcha_wrong'])

export function turnAfter(error: Pick<ApiError, 'code' | 'details'>, before: { step: Step; captcha: boolean }): Turn {
  const token = error.details.enrolment_token
  if (error.code === 'otp_required') return { step: 'code', captcha: before.captcha, isQuestion: true, enrolmentToken: '' }
  if (error.code === 'otp_refused') return { step: 'code', captcha: before.captcha, isQuestion: false, enrolmentToken: '' }
  if (error.code === 'otp_enrolment_required' && typeof token === 'string') return { step: 'enrol', captcha: before.captcha, isQuestion: true, enrolmentToken: token }
  if (CAPTCHA.has(error.code)) return { step: before.step, captcha: true, isQuestion: false, enrolmentToken: '' }
  return { step: 'password', captcha: before.captcha, isQuestion: false, enrolmentToken: '' }
}

/** A code as it is sent: people write it in groups. */
export const plainCode = (typed: string): string => typed.replaceAll(/\s+/g, '')

const STOPS: ReadonlySet<string> = new Set(['second_factor_stopped'])

/** Another try cannot help: somebody else has to do something first. */
export const needsSomebody = (error: Pick<ApiError, 'code'>): boolean => STOPS.has(error.code)

/** Until the server wants to hear of it again, counted from when it said so. */
export function secondsLeft(retryAfter: number | null, since: number, now: number): number {
  return retryAfter === null ? 0 : Math.max(0, Math.ceil(retryAfter - (now - since) / 1_000))
}
