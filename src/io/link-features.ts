/** What of a device matters to a program that redirects frames. */

/** Of a pair of veth devices, that which is not ours: what is said of it may not hold any more. */
export interface OtherEnd {
  /** Undefined when it is in another network namespace. */
  readonly name: string | undefined;
  /** Whether it sends VLAN tags beside its frames, where no program sees them; undefined when that cannot be asked. */
  readonly hidesTags: boolean | undefined;
}

/** Who is told that what the kernel says of devices may be otherwise. */
export interface LinkFeatureListener {
  /** Whether a device matters: of others nothing is told. */
  concerns(ifindex: number): boolean;
  /**
   * isRedirectTarget() may say something else. `settled`: and nothing has been heard for some seconds; called like that
   * also now and then, since kernels before 6.3 announce nothing.
   */
  changed(settled: boolean): void;
}

/** Asks the kernel; close() when nobody asks any more. */
export interface LinkFeatures {
  /** Tells one listener of changes until close(). Nothing is called from within this. */
  listen(listener: LinkFeatureListener): void;
  /** As if something had been heard: the listener's own interest has changed. */
  reconsider(): void;
  /**
   * Whether the driver transmits what a native program on another device redirects to it. A veth device does when its
   * other end has a program or GRO.
   */
  isRedirectTarget(ifindex: number, name: string): boolean;
  /**
   * Whether that may be so as soon as it has a native program itself: drivers of many cards, virtio's among them, have
   * queues to transmit by only then, and say so (since Linux 6.3).
   */
  mayBecomeTarget(ifindex: number): boolean;
  /** Makes the device leave VLAN tags in the frames that it receives; returns why it cannot. */
  keepVlanTags(ifindex: number): string | undefined;
  /** Undefined of a device that is not one of a pair. */
  otherEnd(ifindex: number): OtherEnd | undefined;
  /** What the device is called now; undefined when it is gone. */
  nameOf(ifindex: number): string | undefined;
  close(): void;
}
