// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowMoney} from "../../../contracts/interfaces/IEscrowMoney.sol";
import {IJob, SeatStatus} from "../../../contracts/interfaces/IJob.sol";
import {Role} from "../../../contracts/interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Harness} from "./Harness.sol";

/// @notice Asserts that calls revert with an error and its arguments, and encodes the errors that tests expect.
abstract contract Reasons is Harness {
    function assertReverts(address who, bytes memory data, bytes memory reason) internal {
        assertReverts(who, 0, data, reason);
    }

    /// @dev The call to the escrow by `who` reverts with exactly `reason`.
    function assertReverts(address who, uint256 value, bytes memory data, bytes memory reason) internal {
        assertRevertsAt(address(escrow), who, value, data, reason);
    }

    function assertRevertsAt(address target, address who, uint256 value, bytes memory data, bytes memory reason)
        internal
    {
        vm.prank(who);
        (bool done, bytes memory why) = target.call{value: value}(data);
        assertTrue(!done, "reverts");
        if (keccak256(why) != keccak256(reason)) {
            assembly ("memory-safe") {
                revert(add(why, 32), mload(why))
            }
        }
    }

    function tooLate(IJob.Terms memory terms, uint256 deadline) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_TooLate.selector, escrow.jobIdOf(terms), deadline);
    }

    function tooEarly(IJob.Terms memory terms, uint256 deadline) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_TooEarly.selector, escrow.jobIdOf(terms), deadline);
    }

    function invalidStatus(IJob.Terms memory terms) internal view returns (bytes memory) {
        bytes4 selector = IJob.JobEscrow_InvalidStatus.selector;
        return abi.encodeWithSelector(selector, escrow.jobIdOf(terms), stateOf(terms));
    }

    function notParty(IJob.Terms memory terms, address who) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_NotParty.selector, escrow.jobIdOf(terms), who);
    }

    function noAppeal(IJob.Terms memory terms) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_NoAppeal.selector, escrow.jobIdOf(terms));
    }

    function seedMismatch(IJob.Terms memory terms, address who) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_SeedMismatch.selector, escrow.jobIdOf(terms), who);
    }

    function nothingToDraw(IJob.Terms memory terms) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_NothingToDraw.selector, escrow.jobIdOf(terms));
    }

    function stillCommitting(IJob.Terms memory terms) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_StillCommitting.selector, escrow.jobIdOf(terms));
    }

    function commitmentMismatch(IJob.Terms memory terms, address who) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_CommitmentMismatch.selector, escrow.jobIdOf(terms), who);
    }

    function alreadyRated(IJob.Terms memory terms, address who) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_AlreadyRated.selector, escrow.jobIdOf(terms), who);
    }

    function wrongSeat(IJob.Terms memory terms, address who) internal view returns (bytes memory) {
        bytes32 id = escrow.jobIdOf(terms);
        SeatStatus status = escrow.seatOf(id, who);
        return abi.encodeWithSelector(IJob.JobEscrow_WrongSeat.selector, id, who, status);
    }

    function wrongPayment(uint256 sent, uint256 wanted) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IEscrowMoney.Escrow_WrongPayment.selector, sent, wanted);
    }

    function tooLong(uint256 length, uint256 limit) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_TooLong.selector, length, limit);
    }

    function wrongPanelSize(IJob.Terms memory terms, uint256 given, uint256 wanted)
        internal
        view
        returns (bytes memory)
    {
        bytes4 selector = IJob.JobEscrow_WrongPanelSize.selector;
        return abi.encodeWithSelector(selector, escrow.jobIdOf(terms), given, wanted);
    }

    function notEligible(IJob.Terms memory terms, address who) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IJob.JobEscrow_NotEligible.selector, escrow.jobIdOf(terms), who);
    }

    function insufficientStake(address who, uint256 free, uint256 wanted) internal pure returns (bytes memory) {
        bytes4 selector = IProviderRegistry.ProviderRegistry_InsufficientStake.selector;
        return abi.encodeWithSelector(selector, who, free, wanted);
    }

    function banned(address who) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_Banned.selector, who);
    }

    function noOffer(address who, Role role) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_NoOffer.selector, who, role);
    }

    function invalidSignature(address who) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_InvalidSignature.selector, who);
    }
}
