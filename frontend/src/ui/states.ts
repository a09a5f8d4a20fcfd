// The one meaning of every state on screen: its tone (colour) and its icon. Words are in the locale files.
import {
  Ban, Check, Circle, CircleDashed, CircleHelp, CircleSlash, Clock, Hand, Hourglass, LoaderCircle, Minus, Pause, X,
} from '@lucide/vue'
import type { Component } from 'vue'

export type Tone = 'waiting' | 'running' | 'success' | 'failed' | 'timeout' | 'paused' | 'cancelled'

export interface StateLook {
  tone: Tone
  icon: Component
  /** The icon is filled: a dot that is lit. */
  solid?: boolean
}

const LOOKS: Record<string, StateLook> = {
  pending: { tone: 'waiting', icon: Clock },
  queued: { tone: 'waiting', icon: Clock },
  offered: { tone: 'waiting', icon: Clock },
  claimed: { tone: 'waiting', icon: Hand },
  running: { tone: 'running', icon: LoaderCircle },
  success: { tone: 'success', icon: Check },
  failed: { tone: 'failed', icon: X },
  rejected: { tone: 'failed', icon: Ban },
  timeout: { tone: 'timeout', icon: Hourglass },
  lost: { tone: 'timeout', icon: CircleHelp },
  expired: { tone: 'timeout', icon: Hourglass },
  paused: { tone: 'paused', icon: Pause },
  cancelled: { tone: 'cancelled', icon: Minus },
  skipped: { tone: 'cancelled', icon: Minus },
  online: { tone: 'success', icon: Circle, solid: true },
  active: { tone: 'success', icon: Circle, solid: true },
  offline: { tone: 'waiting', icon: Circle },
  disabled: { tone: 'waiting', icon: CircleSlash },
  retired: { tone: 'waiting', icon: CircleSlash },
  quarantined: { tone: 'failed', icon: Ban },
  none: { tone: 'waiting', icon: CircleDashed },
  enabled: { tone: 'success', icon: Check },
  off: { tone: 'waiting', icon: CircleSlash },
  live: { tone: 'success', icon: Circle, solid: true },
  scheduled: { tone: 'waiting', icon: Clock },
  revoked: { tone: 'cancelled', icon: Minus },
  deleted: { tone: 'cancelled', icon: Minus },
  open: { tone: 'paused', icon: Hand },
  approved: { tone: 'success', icon: Check },
  declined: { tone: 'failed', icon: X },
  withdrawn: { tone: 'cancelled', icon: Minus },
  denied: { tone: 'failed', icon: Ban },
  failure: { tone: 'timeout', icon: X },
}

const UNKNOWN: StateLook = { tone: 'waiting', icon: CircleHelp }

export function lookOf(state: string): StateLook {
  return LOOKS[state] ?? UNKNOWN
}
