import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Size } from '../model/geometry.ts'

const NARROW = 480

/** The size that a picture has room for, as the window changes; `narrowRatio`: height to width on a phone. */
export function useSize(narrowRatio = 0.62): [RefObject<HTMLElement | null>, Size] {
  const frame = useRef<HTMLElement>(null)
  const [width, setWidth] = useState(600)
  useLayoutEffect(() => {
    const element = frame.current
    if (element === null) return
    const measure = (): void => setWidth(Math.max(260, element.clientWidth))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const height = Math.round(Math.min(460, Math.max(320, width * (width < NARROW ? narrowRatio : 0.62))))
  return [frame, { width, height }]
}
