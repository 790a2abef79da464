// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IFederated, PanelStatus} from "./IFederated.sol";

/// @title The calls of a federated job that are seldom made
/// @notice Somebody stops, is late, lies or disputes; and what is left to do once the job has ended.
interface IFederatedExceptions is IFederated {
    // ── End

    /// @notice The round that is open is the last; before the first one the job ends at once. The requester.
    function stop(Terms calldata terms) external;

    /// @notice Ends a job whose deadline has passed. Anyone. Without seats the pool of the open round is shared alike
    /// by the providers that asserted an upload to it.
    function expire(Terms calldata terms) external;

    /// @notice Unlocks stakes, or slashes those of struck providers. Anyone, once the job has ended and disputes are
    /// over. Accounts whose stake is free already, or whose strike can be appealed or is, are passed over. So are the
    /// seats, and with {Terms.refunds} the other providers, while a struck one has its stake: it comes first in `accounts`.
    function release(Terms calldata terms, address[] calldata accounts) external;

    /// @notice Gives the requester what nobody claimed within {CLAIM_WINDOW} after the end. Anyone.
    function sweep(Terms calldata terms) external;

    // ── Strikes and disputes

    /// @notice Marks a provider whose update is none of its training. With the signatures of the seats' majority, two
    /// at least, until disputes are over. With {Terms.refunds} Running → Ended: what no closed round holds goes back,
    /// but for a fee to each seat that signed; in a dispute over a closing, once that stands.
    function strike(Terms calldata terms, Strike calldata found, Approval[] calldata approvals) external;

    /// @notice Has a panel decide on a strike. The struck provider, within the dispute window, with the panel's fees,
    /// which are spent whatever it finds.
    function appeal(Terms calldata terms, Strike calldata found, address[] calldata signers) external payable;

    /// @notice Running or Ended → Disputed: a panel runs the round again. The requester, a provider or a seat, within
    /// the challenge window of a closing, with the bond of {challengeBondOf}.
    /// @dev Warning: half of a round's price is burnt (owed to the zero address) if the panel confirms the closing.
    /// @param closings From the challenged one to the last one.
    function challenge(Terms calldata terms, Closed[] calldata closings) external payable;

    /// @notice Draws the panel of a dispute. Anyone, within 256 blocks after its block; later, another block is fixed.
    /// @param provider Zero for a closing, else who appealed.
    function empanel(Terms calldata terms, address provider) external;

    /// @notice Commits to `keccak256(abi.encode(jobId, provider, validator, finding, salt))`. A validator of the panel.
    function commitFinding(Terms calldata terms, address provider, bytes32 commitment) external;

    /// @notice Reveals a finding. For a closing {findingOf} it where the round gives what it says, else {CLEAR}: what was
    /// measured is no two machines' same, so that a panel could agree on no other closing. For a strike {GUILTY} or
    /// {CLEAR}.
    function revealFinding(Terms calldata terms, address provider, bytes32 finding, bytes32 salt) external;

    /// @notice Disputed → as before (Ended, if a strike is to end it), or → Ended when the panel's majority found otherwise: the closing and those after
    /// it are void, the seats that signed it lose their stakes, and the providers that asserted an upload to its round
    /// share its price. Anyone, once the panel has revealed or is late.
    function concludeChallenge(Terms calldata terms, Closed[] calldata closings) external;

    /// @notice Clears the provider unless the panel's majority confirms the strike. Seats whose strike a majority found
    /// wrong lose their stakes. Anyone, once the panel has revealed or is late.
    function concludeAppeal(Terms calldata terms, Strike calldata found, address[] calldata signers) external;

    // ── Rate

    /// @notice Scores another party of an ended job, 1–5, once each: the requester its providers and seats, a provider
    /// its requester.
    function rate(Terms calldata terms, address subject, uint8 score) external;

    // ── Read

    function disputeOf(bytes32 jobId, address provider) external view returns (Dispute memory);
    function panelSeatOf(bytes32 jobId, address provider, address validator) external view returns (PanelStatus);
    /// @notice What a panel reveals that confirms a closing.
    function findingOf(Closing calldata closing) external pure returns (bytes32);
    /// @notice A panel's fees and half of a round's price.
    function challengeBondOf(Terms calldata terms) external pure returns (uint256);
}
