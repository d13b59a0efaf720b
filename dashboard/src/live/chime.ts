/** Two short notes for a critical alert. Made only after a click: browsers keep sound from pages nobody touched. */
export class Chime {
  readonly #context = new AudioContext();

  ring(): void {
    const now = this.#context.currentTime;
    this.#note(880, now);
    this.#note(660, now + 0.18);
  }

  close(): void {
    void this.#context.close();
  }

  #note(hertz: number, at: number): void {
    const tone = this.#context.createOscillator();
    const gain = this.#context.createGain();
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.18, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.16);
    tone.connect(gain).connect(this.#context.destination);
    tone.start(at);
    tone.stop(at + 0.17);
  }
}
